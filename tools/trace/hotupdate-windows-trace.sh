#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# hotupdate-windows-trace.sh [--golden] [TRACE]: prints a trace of hot updates in
# the names that Windows has for the steps, to be laid beside one of Windows. The
# clauses at the end of each line are those of Documentation/gpu/windows-comparison.rst.
#
#	cd /sys/kernel/tracing
#	echo 1 >events/drm_hotupdate/enable
#	... an update ...
#	hotupdate-windows-trace.sh trace
#
# TRACE is the text of /sys/kernel/tracing/trace, that file itself unless it is
# given; - for stdin. --golden leaves out what differs from run to run: times and
# durations. What Windows has no name for is printed in parentheses. Fails if
# the trace has lost events, or has some that are not known here.
#
# For any awk, busybox's included.

golden=
if [ "${1-}" = --golden ]; then
	golden=1
	shift
fi
case ${1-} in
-?* | '') [ $# = 0 ] || {
	echo "usage: hotupdate-windows-trace.sh [--golden] [TRACE]" >&2
	exit 2
} ;;
esac

exec awk -v golden="$golden" '
# The time is the word before the name of the event, both with a colon. A value
# goes on to the next name: that of a driver can be several words.
function parse(line,	words, n, i, equals, name) {
	if (!match(line, /[0-9]+\.[0-9]+: drm_hotupdate_[a-z]+: /))
		return 0
	split(substr(line, RSTART, RLENGTH), words, " ")
	time = words[1]
	event = words[2]
	sub(/:$/, "", time)
	sub(/:$/, "", event)
	sub(/^drm_hotupdate_/, "", event)

	split("", field)
	name = ""
	n = split(substr(line, RSTART + RLENGTH), words, " ")
	for (i = 1; i <= n; i++) {
		equals = index(words[i], "=")
		if (equals) {
			name = substr(words[i], 1, equals - 1)
			field[name] = substr(words[i], equals + 1)
		} else {
			field[name] = field[name] " " words[i]
		}
	}
	return 1
}

function result() {
	return field["err"] == 0 ? "STATUS_SUCCESS" : "error, errno " (-field["err"])
}

function sizes() {
	return field["bytes"] " bytes" \
	       (field["meta"] > 0 ? ", MetaDataSize " field["meta"] : "")
}

# What names the memory of a block, and in which way of W7 that is
function source() {
	if (field["kind"] == "buffer")
		return "pData"
	if (field["kind"] == "sgt")
		return "pDataMdl"
	return "pDataMemoryRanges" (field["kind"] == "device" ? " of the device" : "")
}

function way() {
	if (field["kind"] == "buffer")
		return "W10"
	return field["kind"] == "sgt" ? "W9" : "W8"
}

# Whatever it was, it comes back as an MDL, but for memory that has no pages
function target() {
	return field["kind"] == "device" ? "ranges of the device" : "MDL"
}

function metadata() {
	return field["meta"] > 0 ? " W11" : ""
}

function stash() {
	return field["blocks"] " blocks, " field["bytes"] " bytes"
}

function show(text, clauses,	duration) {
	duration = ""
	if (!golden && "duration_ns" in field)
		duration = sprintf(", %.3f us", field["duration_ns"] / 1000)
	if (!golden)
		printf "%s ", time
	printf "%s %s%s  [%s]\n", field["adapter"], text, duration, clauses
}

function show_state() {
	state[field["adapter"]] = field["to"]
	if (field["to"] == "running" && field["from"] ~ /^(starting|restored)$/)
		show("DxgkDdiQueryAdapterInfo(DXGKQAITYPE_GPUPCAPS): HotDriverUpdate 1", "W1")
}

/LOST .* EVENTS/ {
	lost++
}

!/^#/ && parse($0) {
	if (event == "state")
		show_state()
	else if (event == "prepare")
		show("DxgkDdiSaveMemoryForHotUpdate(hContext, Flags 0) of " field["driver"] \
		     ", asked for state version " field["version"], "W2 W3")
	else if (event == "save")
		show("  DxgkCbSaveMemoryForHotUpdate(hAdapter, block " field["index"] ": " \
		     source() ", " sizes() "): " result(), "W5 W6 W7 " way() metadata())
	else if (event == "saved")
		show("DxgkDdiSaveMemoryForHotUpdate returns " result() ", " stash(), \
		     field["err"] == 0 ? "W20" : "W20 U3")
	else if (event == "cancel")
		show("DxgkDdiSaveMemoryForHotUpdate(hContext, Flags CancelHotUpdate): " stash() \
		     " are let go" (field["err"] == 0 ? "" : " after errno " (-field["err"])), \
		     field["err"] == 0 ? "W4 U2" : "W4 U2 U3")
	else if (event == "detach")
		show("driver " field["driver"] " is unloaded, state version " field["version"] \
		     " stays", "U2")
	else if (event == "attach")
		show("driver " field["driver"] " is loaded, reads up to state version " \
		     field["version"], "U6")
	else if (event == "restore")
		show("DxgkDdiRestoreMemoryForHotUpdate(hContext, Flags 0, block " field["index"] ": " \
		     target() ", " sizes() "): " result(), \
		     "W13 W14 W15" metadata() (field["err"] == 0 ? " W16" : " W20"))
	else if (event == "start")
		show("DxgkDdiStartDevice: " result(), \
		     state[field["adapter"]] == "restoring" ? "W13 W20" : "W20")
	else if (event == "stop" && state[field["adapter"]] == "saved")
		show("DxgkDdiStopDevice: the device runs on", "W21 U12")
	else if (event == "stop")
		show("DxgkDdiStopDevice", "W21")
	else if (event == "commit")
		show("(the stash lets go of " stash() ")", "U5")
	else if (event == "complete")
		show("DxgkDdiRestoreMemoryForHotUpdate(hContext, Flags RestoreComplete)", "W18")
	else if (event == "abort")
		show("(the replay is undone after errno " (-field["err"]) ", " stash() " stay)", "U4")
	else if (event == "discard")
		show("(the administrator discards " stash() ")", "U9")
	else {
		print "not known: " $0
		unknown++
	}
}

END {
	if (lost)
		print "the trace has lost events"
	exit lost || unknown
}
' "${1:-/sys/kernel/tracing/trace}"
