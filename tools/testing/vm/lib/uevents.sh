# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Listening to uevents. Sourced after hotupdate.sh and wait.sh.

uevents=/tmp/uevents

# listen COMMAND... - run the command for each uevent from now on, with its output
# in $uevents
listen()
{
	rm -f $uevents
	uevent "$@" >$uevents &
	listener=$!
	wait_until listener_hears
}

# The listener is ready once it hears a uevent, so cause some.
listener_hears()
{
	# shellcheck disable=SC2154 # from hotupdate.sh
	set_attr "$adapter/uevent" change
	usleep 100000
	[ -s $uevents ]
}

stop_listening()
{
	kill "$listener"
	wait "$listener"
	return 0
}
