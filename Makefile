# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the modules out of tree and starts the tests. Kbuild reads the file
# Kbuild beside this one, not this.

KDIR ?= /lib/modules/$(shell uname -r)/build
# As the default of DRM_VGPU_STATE_VERSION in drivers/gpu/drm/vgpu/Kconfig
STATE_VERSION ?= 2
# n leaves out vgpu and the GPU that it drives, where a kernel has no DRM
VGPU ?= m
# Which kernel to run KUnit in, see tools/testing/kernels.conf, and how configured
KERNEL ?=
CONFIG ?= plain
REPEAT ?=
LOAD ?=

modules_config := CONFIG_DRM_HOTUPDATE=m CONFIG_DRM_VGPU=$(VGPU) CONFIG_DRM_VGPU_SIM=$(VGPU)
kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR) $(modules_config) STATE_VERSION=$(STATE_VERSION)

# The scripts run makes of their own, which what was said to this one must
# not reach.
run = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES tools/testing/
# So many runs, LOAD=yes beside a load, until one fails
repeat = LOAD=$(LOAD) $(run)repeat.sh $(REPEAT)

.PHONY: modules samples test_modules modules_install clean demo lint htmldocs kunit
.PHONY: check check-quick check-all coverage vm help need_kdir

modules: need_kdir ## Build the modules (KDIR=, STATE_VERSION=1|2, VGPU=n, W=1)
	+$(kbuild) modules

# Apart from the modules, as nobody who installs these wants them.
samples: modules_config += CONFIG_SAMPLE_DRM_HOTUPDATE=m
samples: need_kdir ## Build the modules, and the sample of a driver
	+$(kbuild) modules

# As the scenarios need them, with those of the sample.
test_modules: modules_config += CONFIG_SAMPLE_DRM_HOTUPDATE=m CONFIG_TEST_DRM_HOTUPDATE=m
test_modules: need_kdir ## Build the modules, the sample, and the modules of the tests
	+$(kbuild) modules

modules_install: need_kdir ## Install them (INSTALL_MOD_PATH=)
	+$(kbuild) modules_install

clean: ## Remove what a build has left here
	rm -rf build
	+$(if $(wildcard $(KDIR)/Makefile),$(kbuild) clean)

demo: ## Update a driver under load, in a virtual machine
	@$(run)demo.sh

check: ## Run the tests; the last line counts them
	@$(run)check.sh check

check-quick: ## A few minutes of them, on a tree of your own (KDIR=, KSRC=)
	@$(run)check.sh quick

check-all: ## All of them, on all kernels, for hours
	@$(run)check.sh all

lint: ## checkpatch, sparse, kernel-doc, shellcheck
	@$(run)lint.sh

htmldocs: ## The documents, into build/htmldocs
	@$(run)htmldocs.sh

kunit: ## KUnit under UML (KERNEL=series, CONFIG=plain|debug, KSRC=path, REPEAT=n)
	@$(if $(REPEAT),$(repeat) kunit "$(KERNEL)" "$(CONFIG)",$(run)kunit.sh "$(KERNEL)" "$(CONFIG)")

coverage: ## Which lines the KUnit suites reach (V=1: all that they do not)
	@$(run)coverage.sh

vm: ## One scenario in a virtual machine (SCENARIO=smoke, STOCK=rt|newest, REPEAT=n)
	@$(if $(REPEAT),$(repeat) vm,$(run)vm.sh) $(or $(SCENARIO),smoke)

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile

need_kdir:
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel build tree at $(KDIR): install the headers of your kernel or pass KDIR=" >&2; \
		exit 1; }
