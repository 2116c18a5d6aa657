# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The core on a PCI bus behind an IOMMU: DMA while no driver is bound, mappings that are
# lost, discards, runtime PM, removal, VFs and AER.
# clock: instructions
# cmdline: intel_iommu=on pcie_port_pm=force
# stock-modules: aer_inject
# qemu: -M q35,kernel-irqchip=split -device intel-iommu,intremap=on
# qemu: -device pcie-root-port,id=port0,bus=pcie.0,chassis=1,slot=1,addr=5,hotplug=off
# qemu: -device edu,bus=port0
# qemu: -device pcie-root-port,id=port1,bus=pcie.0,chassis=2,slot=2,addr=6
# qemu: -device nvme-subsys,id=subsystem,nqn=hotupdate
# qemu: -device nvme,serial=hotupdate,subsys=subsystem,bus=port1,sriov_max_vfs=2
# qemu: -global nvme.sriov_vq_flexible=6 -global nvme.sriov_vi_flexible=4

. ./tap.sh
. ./lib/wait.sh
. ./lib/hotupdate.sh
. ./lib/log.sh
. ./lib/pci.sh
. ./lib/edu.sh

parameters=/sys/module/mapped/parameters

# find_edu - also the port that it is behind
find_edu()
{
	find_device && adapter=/sys/class/drm_hotupdate/pci:$bdf &&
		port=$(dirname "$(readlink -f "$device")") && note_device
}

# set_master on|off - without a driver; memory stays enabled
set_master()
{
	case $1 in
	on) set_config $command $(($(get_config $command) | 6)) ;;
	off) set_config $command $(($(get_config $command) & ~4)) ;;
	esac
}

# has_new_driver - from no stash to running, the pages have a witness
has_new_driver()
{
	[ -e "$device/driver" ] || bind mapped || return
	note_pages
	set_attr $files/witness 1 && [ "$(adapter_state)" = "running 0 0" ]
}

discard_now() { set_attr "$adapter/discard" "${1-1}"; }

discard() { discard_now "$@" && wait_until gone; }

stop_driver() { unbind && wait_until gone; }

# refused_as ERROR COMMAND...
refused_as()
{
	error=$1
	shift
	if refused=$("$@" 2>&1); then
		echo "succeeded"
		return 1
	fi
	echo "$refused"
	case $refused in
	*"$error"*) ;;
	*) return 1 ;;
	esac
}

is_stale() { refused_as "Stale file handle" bind mapped; }

# Both are 64 bits wide in the files
hex() { printf %x "$1"; }

# Neither the page nor its address is for all readers of the log.
log_has_no_numbers()
{
	! log_since_mark | grep -v DMAR: | grep -iE "$(hex $((pfn)))|$(hex $((addr)))"
}

# has_fault ADDRESS - the IOMMU has refused it, and nothing else is in the log about it
has_fault() { log_has "fault addr 0x$(hex $((addr)))" >/dev/null; }

# set_type TYPE - of the IOMMU group
set_type() { set_attr "$device/iommu_group/type" "$1"; }

# nothing_arrives - though bus mastering is on again and the address is the old one
nothing_arrives() { set_master on && send_now 0 && is_poisoned; }

tap_case "the core loads" insmod /modules/drm_hotupdate.ko
tap_case "no driver is bound by itself" set_attr /sys/bus/pci/drivers_autoprobe 0
tap_case "the drivers load" insmod /modules/testing/mapped.ko
tap_case "the device is there" find_edu
tap_is "its DMA is translated, lazily" "$(attr iommu_group/type)" DMA-FQ

# 1. DMA before, in and after the gap
tap_case "the driver takes the device" has_new_driver
elsewhere() { [ $((addr)) != $((pfn << 12)) ]; }
tap_case "its pages are not at their address" elsewhere
tap_case "the device reads a word" load before.. memory
tap_case "it writes it" send_now 256 $dma_interrupt
tap_is "there it is" "$(word_at 256 memory)" before..
tap_becomes "with an interrupt" 1 see irqs
tap_case "DMA is under way when the driver goes" send 512
tap_case "the driver saves and goes" detach
tap_is "the stash stays" "$(adapter_state)" "detached 1 0"
tap_case "the DMA ends" wait_until dma_is_idle
tap_is "and has arrived" "$(word_at 512 witness_memory)" before..
tap_case "the device reads in the gap" load in.a.gap witness_memory
tap_case "it writes, to the second page, too" send_now 4352 $dma_interrupt
tap_case "DMA is under way when the driver comes" send 768
tap_case "the next driver takes the device" bind mapped
tap_is "with its block" "$(adapter_state) $(get_attr "$adapter/generation")" "running 0 0 1"
tap_case "the DMA ends" wait_until dma_is_idle
tap_is "all of it is there" "$(for at in 256 512 768 4352; do word_at $at memory; done)" \
	before..before..in.a.gapin.a.gap
tap_is "no interrupt came without a driver" "$(see irqs)" 1
tap_is "which the driver has found out" "$(see missed)" 1
tap_is "pages and addresses are the same" "$(see pfn) $(see addr)" "$pfn $addr"
tap_case "the device reads another word" load after... memory
tap_case "it writes it" send_now 1024 $dma_interrupt
tap_is "there it is" "$(word_at 1024 memory)" after...
tap_becomes "with an interrupt" 2 see irqs

# 3. a wrong address
bad_save()
{
	set_attr $parameters/save "$1" && refused_as "Invalid argument" prepare
}
mark_log
for wrong in "1 nothing is mapped at its address" "2 its address is that of other pages" \
	"3 a page has no address"; do
	tap_case "a save is refused: ${wrong#* }" bad_save "${wrong%% *}"
	tap_is "the driver runs on, nothing is held" \
		"$(adapter_state) $(see witness) $(attr enable)" "running 0 0 2 1"
done
tap_case "the log has no numbers" log_has_no_numbers
set_attr $parameters/save 0
tap_case "its DMA goes on" send_now 1032
tap_is "and arrives" "$(word_at 1032 memory)" after...

# 2. a mapping that is lost
# lost_mapping - the driver is refused, and the reason is known
lost_mapping()
{
	mark_log
	calls=$(see callbacks)
	tap_case "the next driver is refused" is_stale
	tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
	tap_case "page and address are named" error_has \
		"page 0x$(hex $((pfn))) with DMA address 0x$(printf %016x $((addr)))"
	tap_case "but not in the log" log_has_no_numbers
	tap_is "no callback was made" "$(see callbacks)" "$calls"
	tap_is "the pages are still there" "$(see witness)" 2
}

# discard_lost - leaves alone what is at the address
discard_lost()
{
	tap_case "a discard" discard
	tap_case "leaves the mapping alone" log_has "1 of 1 DMA mappings"
	tap_is "and drops the pages" "$(see witness)" 1
	poison
	tap_case "nothing arrives at the old address" nothing_arrives
}

set_attr $parameters/unmap_saved 1
tap_case "a driver unmaps its saved pages" detach
set_attr $parameters/unmap_saved 0
lost_mapping
discard_lost

# The second time, the discard finds a domain that is not the old one.
for discard_as in identity DMA-FQ; do
	tap_case "a driver comes" has_new_driver
	tap_case "it saves and goes" detach
	tap_case "DMA is not translated any more" set_type identity
	lost_mapping
	tap_case "the IOMMU group is $discard_as" set_type $discard_as
	discard_lost
	tap_case "DMA is translated again" set_type DMA-FQ
done

# 4. discard
# discard_cases - with the driver bound
discard_cases()
{
	tap_case "a driver comes" has_new_driver
	tap_case "the device reads a word" load secret.. memory
	tap_case "the driver saves and goes" detach
	tap_case "the device writes it" send_now 0
	tap_is "and it arrives" "$(word_at 0 witness_memory)" secret..
	poison
	# The kernel reports few faults in 5 s.
	sleep 6
	mark_log
	tap_case "DMA is under way" send 0
	tap_case "when the stash is discarded" discard_now
	tap_case "and still afterwards" dma_is_running
	tap_case "the adapter goes" wait_until gone
	tap_is "the pages are free" "$(see witness)" 1
	tap_is "bus mastering is off, nothing is enabled" "$(master) $(attr enable)" "off 0"
	tap_case "the DMA ends" wait_until dma_is_idle
	tap_case "and has not arrived" is_poisoned
	tap_fails "the IOMMU has not seen it" has_fault
	tap_case "with bus mastering, nothing arrives either" nothing_arrives
	tap_case "because the IOMMU refuses it" wait_until has_fault
	set_master off
}

for type in DMA-FQ DMA; do
	tap_case "the IOMMU group is $type" set_type $type
	discard_cases
done
tap_case "the IOMMU group is DMA-FQ again" set_type DMA-FQ

# In the lazy mode the kernel flushes the IOMMU's cache 8 ms after an unmap at the
# soonest, and the device hits that interval. The cache has the address: the device uses
# it just before, and no unmap of the old driver is left to be flushed.
# discard_and_master_on MICROSECONDS - after so much of the DMA; fast
discard_and_master_on()
{
	send 0 && usleep "$1" && echo 1 >"$adapter/discard" &&
		dd if=/tmp/master_on of="$device/config" bs=1 seek=$command conv=notrunc 2>/dev/null
}

for us in 88000 90000 92000; do
	tap_case "a driver comes" has_new_driver
	print_byte $(($(get_config $command) | 4)) >/tmp/master_on
	tap_case "the device reads a word" load secret.. memory
	tap_case "the driver saves and goes" detach
	tap_case "the device writes it" send_now 0
	poison
	tap_case "a discard after $us us of DMA, and bus mastering on" discard_and_master_on $us
	tap_case "before it ends" dma_is_running
	tap_case "it ends" wait_until dma_is_idle
	tap_is "with bus mastering on" "$(master)" on
	tap_case "nothing has arrived" is_poisoned
	tap_case "the adapter goes" wait_until gone
	set_master off
done

# Proves that what has not arrived was stopped, and the script would have seen it.
tap_case "a driver comes" has_new_driver
tap_case "the device reads a word" load secret.. memory
set_attr $parameters/save 4
tap_case "the driver saves without an address, and goes" detach
set_attr $parameters/save 0
tap_case "the stash is discarded" discard
poison
set_master on
tap_case "DMA to an address that nobody has told the core" send_now 0
tap_is "arrives" "$(word_at 0 witness_memory)" secret..
set_master off

# 5. the device is disabled
tap_case "a driver comes" has_new_driver
tap_case "it saves and goes" detach
tap_is "the core has an enable count" "$(attr enable) $(master)" "1 on"
mark_log
tap_case "the device is disabled" set_attr "$device/enable" 0
tap_is "with the core's count" "$(attr enable) $(master)" "0 off"
tap_fails "which cannot be done twice" set_attr "$device/enable" 0
tap_case "the next driver is refused" is_stale
tap_is "the stash is stale" "$(adapter_state) $(attr enable)" "stale 1 0 0"
tap_case "the reason is known" error_has "has lost bus mastering since the save"
tap_case "and in the log" log_has "device $bdf was disabled while the core kept it enabled"
tap_case "a discard" discard
tap_is "disables nothing" "$(attr enable)" 0
set_attr $parameters/survives 1
tap_case "a driver comes whose device survives that" has_new_driver
tap_is "and enables it" "$(attr enable) $(master)" "1 on"
tap_case "it saves and goes" detach
tap_case "the device is disabled" set_attr "$device/enable" 0
tap_case "the driver comes back" bind mapped
tap_is "its count is its own" "$(adapter_state) $(attr enable) $(master)" "running 0 0 1 on"
tap_case "it goes" stop_driver
tap_is "the device is disabled" "$(attr enable) $(master)" "0 off"
set_attr $parameters/survives 0

# 6. runtime PM, which suspends a device that has no driver
runtime_status()
{
	echo "$(attr power/runtime_status) $(cat "$port/power/runtime_status")"
}

set_attr "$device/d3cold_allowed" 1
set_attr "$device/power/control" auto
set_attr "$port/power/control" auto
tap_becomes "device and port may be suspended" "suspended suspended" runtime_status
tap_case "a driver comes" has_new_driver
tap_is "and resumes them" "$(runtime_status)" "active active"
tap_case "the device reads a word" load awake... memory
tap_case "it saves and goes" detach
# In this time nothing may happen.
sleep 3
tap_is "nothing is suspended" "$(runtime_status) $(attr power_state)" "active active D0"
tap_case "the device writes the word" send_now 2048
tap_is "and it arrives" "$(word_at 2048 witness_memory)" awake...
tap_case "a driver comes" bind mapped
tap_is "with the block" "$(adapter_state)" "running 0 0"
tap_case "it saves and goes again" detach
tap_case "a discard" discard
tap_becomes "device and port may be suspended again" "suspended suspended" runtime_status
set_attr "$port/power/control" on
set_attr "$device/power/control" on
tap_is "they are resumed" "$(runtime_status)" "active active"

# 7. the device is removed, in each state
# reach STATE - from no driver
reach()
{
	has_new_driver && load secret.. memory && send_now 0 || return
	case $1 in
	running) ;;
	saved) prepare ;;
	detached) detach ;;
	stale) detach && set_master off && ! bind mapped && set_master on ;;
	esac
}

# rescan - the module's driver is probed, whether it is wanted or not
rescan() { rescan_bus && find_edu; }

# remove_cases STATE - the DMA begins when the device has its driver or its stash
remove_cases()
{
	tap_case "the driver is $1" reach "$1"
	tap_is "so is the adapter" "$(get_attr "$adapter/state")" "$1"
	poison
	tap_case "DMA is under way" send 0
	tap_case "the device is removed" set_attr "$device/remove" 1
	tap_case "the DMA goes on" dma_is_running
	tap_case "and ends" wait_until dma_is_idle
	tap_case "but nothing has arrived" is_poisoned
	if [ "$1" = running ]; then
		tap_case "the adapter has gone" wait_until gone
		tap_is "the pages are free" "$(see witness)" 1
	else
		tap_is "the stash is stale" "$(adapter_state)" "stale 1 1"
		tap_is "the pages are still there" "$(see witness)" 2
		tap_case "the bus is scanned again" rescan
		tap_case "the driver is refused" is_stale
		tap_is "the device is off" "$(attr enable) $(master)" "0 off"
		tap_case "nothing arrives at the old address" nothing_arrives
		tap_is "the pages are still there" "$(see witness) $(adapter_state)" "2 stale 1 1"
		tap_case "a discard" discard
		tap_is "drops them" "$(see witness)" 1
		set_master off
	fi
}

for state in saved detached stale running; do
	remove_cases $state
done
tap_case "the bus is scanned once more" rescan
tap_is "the driver takes the device" "$(adapter_state)" "running 0 0"
tap_case "and goes" stop_driver

# 8. a function with VFs
# find_pf - and the VFs
find_pf()
{
	find_function 0x1b36 0x0010 && adapter=/sys/class/drm_hotupdate/pci:$bdf
}

vfs() { attr sriov_numvfs; }

# bdf_of_vf N
bdf_of_vf() { basename "$(readlink "$device/virtfn$1")"; }

# on_vf N COMMAND... - with the VF as the device
on_vf()
{
	pf=$device
	bdf=$(bdf_of_vf "$1")
	device=/sys/bus/pci/devices/$bdf
	shift
	vf_status=0
	"$@" || vf_status=$?
	device=$pf
	bdf=$(basename "$device")
	return $vf_status
}

# masters - of the function and its VFs
masters() { echo "$(master)/$(on_vf 0 master)/$(on_vf 1 master)"; }

# Without autoprobe, a VF's driver has to be admitted by name.
start_vf() { set_attr "$device/driver_override" functions_vf && bind functions_vf; }

# use_vfs - their driver leaves them running
use_vfs()
{
	for vf in 0 1; do
		on_vf $vf start_vf && on_vf $vf unbind || return
	done
}

tap_case "the drivers of the functions load" insmod /modules/testing/functions.ko
tap_case "the function is there" find_pf
set_attr "$device/sriov_drivers_autoprobe" 0
tap_case "its driver comes" bind functions_pf
tap_case "it enables VFs" set_attr "$device/sriov_numvfs" 2
tap_case "which are used" use_vfs
tap_case "it saves and goes" detach
tap_is "the VFs are still there, and may do DMA" "$(adapter_state), $(vfs): $(masters)" \
	"detached 1 0, 2: on/on/on"
tap_case "nobody can disable them" refused_as "No such file" set_attr "$device/sriov_numvfs" 0
tap_is "they are still there" "$(adapter_state), $(vfs): $(masters)" "detached 1 0, 2: on/on/on"
tap_case "the next driver takes over" bind functions_pf
tap_is "with its block" "$(adapter_state), $(vfs): $(masters)" "running 0 0, 2: on/on/on"

tap_case "it saves and goes" detach
tap_case "a VF has a driver" on_vf 1 start_vf
for how in 1 force; do
	tap_case "a discard is refused: $how" refused_as "resource busy" discard_now $how
	tap_case "because of that driver" error_has "VF $(bdf_of_vf 1) has a driver"
done
tap_is "which changes nothing" "$(adapter_state), $(vfs): $(masters)" \
	"detached 1 0, 2: on/on/on"
tap_case "the driver of the VF goes" on_vf 1 unbind
tap_case "a discard is refused, still" refused_as "resource busy" discard_now
tap_case "because of the VFs" error_has "2 VFs of device $bdf are enabled"
tap_is "which changes nothing" "$(adapter_state), $(vfs): $(masters)" \
	"detached 1 0, 2: on/on/on"
tap_case "but not by force" discard force
tap_is "function and VFs are silent" "$(vfs): $(masters)" "2: off/off/off"

# The kernel restores the configuration space afterwards, VFs included: nobody can see
# from outside that a function was reset, and the core does not.
tap_case "a driver comes" bind functions_pf
tap_case "the VFs are used again" use_vfs
tap_case "it saves and goes" detach
tap_case "the function is reset" set_attr "$device/reset" 1
tap_is "the stash does not know" "$(adapter_state), $(vfs): $(master)" "detached 1 0, 2: on"
tap_case "nor does the core when the driver comes" bind functions_pf
tap_is "which has to look at the device itself" "$(adapter_state), $(vfs): $(master)" \
	"running 0 0, 2: on"
tap_case "the VFs are disabled" set_attr "$device/sriov_numvfs" 0
tap_case "the driver goes" stop_driver

# 9. errors of the bus, for which the device has no driver
tap_case "the first device again" find_edu

# A bridge that forgets its bus
secondary=25
bus=$(get_config $secondary "$port")
tap_case "a driver comes" has_new_driver
tap_case "the device reads a word" load secret.. memory
tap_case "it saves and goes" detach
tap_case "the device writes it" send_now 0
poison
tap_case "the device does not answer" set_config $secondary 255 "$port"
tap_fails "the next driver is refused" bind mapped
tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
tap_case "the reason is known" error_has "does not answer"
tap_case "a discard is refused, too" refused_as "Input/output error" discard_now
tap_case "the reason is known" error_has "bus mastering stays on"
tap_case "but not by force" discard force
tap_case "the device answers again" set_config $secondary "$bus" "$port"
tap_is "it was not silenced" "$(master)" on
tap_case "but its addresses are not mapped" nothing_arrives
set_master off

# The port reports an error by AER, which resets the link if the error is fatal.
# inject BYTES - four of them, lowest first: uncorrectable errors
inject()
{
	slot=$(basename "$port" | sed 's/.*:0*//; s/\..*//')
	{
		printf '\000'
		print_byte $((0x$slot))
		printf '\000\000%b' "$1"
		head -c 24 /dev/zero
	} >/tmp/error
	cat /tmp/error >/dev/aer_inject
}

recovery_failed() { log_has "device recovery failed" >/dev/null; }

# inject_while_detached NAME BYTES
inject_while_detached()
{
	tap_case "a driver comes" has_new_driver
	tap_case "the device reads a word" load restored memory
	tap_case "it saves and goes" detach
	mark_log
	tap_case "there is a $1 error" inject "$2"
	tap_case "of which the kernel does not recover" wait_until recovery_failed
	tap_is "the stash stays" "$(adapter_state) $(attr enable)" "detached 1 0 1"
}

tap_case "errors can be injected" modprobe aer_inject
inject_while_detached "completion timeout" '\000\0100\000\000'
tap_is "the device does not notice" "$(master)" on
tap_case "the next driver takes over" bind mapped
tap_case "DMA goes on" send_now 0
tap_is "and arrives" "$(word_at 0 memory)" restored
tap_case "the driver goes" stop_driver

inject_while_detached "data link protocol" '\020\000\000\000'
tap_is "the reset of the link turns bus mastering off" "$(master)" off
tap_case "the next driver is refused" is_stale
tap_is "the stash is stale" "$(adapter_state)" "stale 1 0"
tap_case "the reason is known" error_has "has lost bus mastering since the save"
tap_case "a discard" discard
tap_is "drops the pages" "$(see witness)" 1
tap_case "the device is removed" set_attr "$device/remove" 1
tap_case "the bus is scanned again, to find it healthy" rescan
tap_is "the driver takes the device" "$(adapter_state)" "running 0 0"
tap_case "and goes" stop_driver

tap_case "the drivers unload" rmmod mapped functions
tap_case "so does the core" wait_until rmmod drm_hotupdate
tap_done
