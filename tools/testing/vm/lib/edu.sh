# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# DMA of QEMU's "edu" PCI device, which a script starts by itself, with the pages and the
# files of the module mapped.ko. Sourced after wait.sh and pci.sh.

files=/sys/kernel/debug/mapped

see() { cat "$files/$1"; }

# note_device - what it takes to reach the device, also when it is removed
note_device()
{
	# shellcheck disable=SC2154 # pci.sh has it
	bar=$(sed -n '1s/ .*//p' "$device/resource")
}

# note_pages - those of the driver that is bound
note_pages()
{
	addr=$(see addr)
	# shellcheck disable=SC2034 # for the scenario
	pfn=$(see pfn)
}

# register OFFSET [VALUE]
register()
{
	# shellcheck disable=SC2086 # without a value it is read
	devmem $((bar + $1)) 32 ${2-}
}

# Offsets of registers; the offset of the device's buffer among its own addresses
dma_source=0x80
dma_target=0x88
dma_count=0x90
dma_command=0x98
buffer=0x40000

# Bits of dma_command
dma_run=1
dma_to_memory=2
# shellcheck disable=SC2034 # for the scenario
dma_interrupt=4

# How many bytes are transferred
dma_bytes=8

dma_is_idle() { [ $(($(register $dma_command) & dma_run)) = 0 ]; }
dma_is_running() { ! dma_is_idle; }

# start_dma SOURCE TARGET COMMAND - it is done 100 ms later
start_dma()
{
	wait_until dma_is_idle && register $dma_source "$1" && register $dma_target "$2" &&
		register $dma_count $dma_bytes && register $dma_command $(($3 | dma_run))
}

# send OFFSET [dma_interrupt] - starts DMA of the device's buffer to the pages
send() { start_dma $buffer $((addr + $1)) $((dma_to_memory | ${2-0})); }

# send_now OFFSET [dma_interrupt] - and waits for it
send_now() { send "$@" && wait_until dma_is_idle; }

# load WORD FILE - the device reads a word of 8 letters from the pages, which are in a file
load()
{
	printf '%s' "$1" | dd of="$files/$2" bs=1 seek=4000 conv=notrunc 2>/dev/null &&
		start_dma $((addr + 4000)) $buffer 0 && wait_until dma_is_idle
}

# word_at OFFSET FILE
word_at() { dd if="$files/$2" bs=1 skip="$1" count=$dma_bytes 2>/dev/null | tr '\0' .; }

# poison - the pages belong to somebody else now
poison()
{
	tr '\0' '\245' </dev/zero | head -c 8192 >/tmp/poison
	cat /tmp/poison >"$files/witness_memory"
}

# is_poisoned - nothing has arrived in them
is_poisoned() { cmp /tmp/poison "$files/witness_memory"; }
