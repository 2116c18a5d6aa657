# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running the kernel's own Coccinelle rules, as scripts/coccicheck does: that script
# needs a configured kernel tree. Sourced after lib.sh.

# "RULE FILE" of findings that are wrong. Each covers one finding and no second one.
cocci_exceptions=(
	# The counter belongs to the PF, which outlives the file that is freed.
	"api/atomic_as_refcounter drivers/gpu/drm/vgpu/vgpu_file.c"
	# The function drops the lock of its caller and takes it again.
	"locks/mini_lock drivers/gpu/drm/hotupdate/drm_hotupdate_index.c"
	# The sum has to carry: it is the first address above those of the mask.
	"misc/orplus drivers/gpu/drm/vgpu/vgpu_lmtt.c"
)

# Without a description of these macros spatch skips each function that uses them.
cocci_macros()
{
	cat <<-'END'
	#define scoped_guard(...) YACFE_ITERATOR
	#define scoped_cond_guard(...) YACFE_ITERATOR
	#define drm_exec_until_all_locked(...) YACFE_ITERATOR
	#define VISIBLE_IF_KUNIT
	END
}

# cocci_skip RULE_FILE - print the reason not to run a rule; fail if there is none
cocci_skip()
{
	local version needed

	version=$(spatch --version | awk 'NR == 1 { print $3 }')
	needed=$(sed -n 's/.*Requires: *//p' "$1")
	if ! grep -q '^virtual[[:space:]].*\<report\>' "$1"; then
		echo "it has no report mode"
	elif grep -q '^@.*script:ocaml' "$1" && ! command -v ocamlopt ocamlopt.opt >/dev/null; then
		echo "it needs a compiler for OCaml"
	elif [ -n "$needed" ] && ! printf '%s\n' "$needed" "$version" | sort -CV; then
		echo "it needs spatch $needed, this is $version"
	else
		return 1
	fi
}

# cocci_rule DIR RULES RULE - leaves what spatch prints, and its status, in DIR/out
cocci_rule()
{
	local file=$2/$3.cocci out=$1/out/${3//\//-} status=0 options

	read -ra options < <(sed -n 's/.*Options: *//p' "$file" | tr '\n' ' '; echo)
	cd "$1/tree" || return
	timeout 300 spatch -D report --no-show-diff --very-quiet --cocci-file "$file" \
		"${options[@]}" --include-headers --macro-file ../macros.h --dir . \
		>"$out.found" 2>"$out.err" </dev/null || status=$?
	# It goes on with the next file after an exception.
	! grep -qiE 'exn|exception' "$out.err" || status=exception
	echo "$status" >"$out.status"
}

# cocci_run DIR SOURCE RULES... - print "RULE FILE:LINE: TEXT" of each finding in DIR/tree.
# Fails if a rule could not be run.
cocci_run()
{
	local dir=$1 rules=$2/scripts/coccinelle rule out status failed=0

	shift 2
	rm -rf "$dir/out"
	mkdir -p "$dir/out"
	cocci_macros >"$dir/macros.h"
	export -f cocci_rule
	printf '%s\n' "$@" | nice xargs -P "$(nproc)" -I '{}' \
		bash -c 'cocci_rule "$@"' cocci_rule "$dir" "$rules" '{}'
	for rule in "$@"; do
		out=$dir/out/${rule//\//-}
		status=$(cat "$out.status" 2>/dev/null)
		if [ "$status" != 0 ]; then
			echo "$rule: spatch failed (${status:-no status}): $(tail -n 3 "$out.err")"
			failed=1
		fi
		[ ! -s "$out.found" ] || sed "s,^\(\./\)\?,$rule ," "$out.found"
	done
	return $failed
}

# The status of spatch says nothing about code that it cannot parse and skips.
cocci_parsed()
{
	local good bad

	read -r good bad < <(cd "$1/tree" && find . -name '*.[ch]' -exec spatch --parse-c \
		--no-includes --macro-file ../macros.h {} + 2>&1 |
		sed -n 's/^nb good = \([0-9]*\), *nb bad = \([0-9]*\) .*/\1 \2/p')
	echo "lines parsed: ${good:-none}, not parsed: ${bad:-all}"
	[ "${good:-0}" -gt $((${bad:-1} * 100)) ]
}

# Debian's spatch loads the library of the first python3 in PATH, which it finds with
# ldconfig; the library of another Python is of no use to it.
cocci_path=/usr/sbin:/usr/bin:/sbin:/bin

# coccinelle SOURCE FILES... - fails for each finding that is no exception
coccinelle()
{
	local -x PATH=$cocci_path
	local dir=$WORK/coccinelle source=$1 file rule reason line run=() left exception status=0

	shift
	command -v spatch >/dev/null || {
		echo "there is no spatch"
		return 1
	}
	[ $# != 0 ] || {
		echo "no files for it"
		return 1
	}
	sync_project "$dir/tree" "$@"
	while read -r file; do
		rule=${file#"$source/scripts/coccinelle/"}
		rule=${rule%.cocci}
		if reason=$(cocci_skip "$file"); then
			echo "$rule not run: $reason"
		else
			run+=("$rule")
		fi
	done < <(find "$source/scripts/coccinelle" -name '*.cocci' | sort)
	echo "rules run: ${#run[@]}"
	[ ${#run[@]} != 0 ] || return

	cocci_run "$dir" "$source" "${run[@]}" >"$dir/findings" || status=1
	left=" $(printf '%s, ' "${cocci_exceptions[@]}")"
	while read -r line; do
		exception=" ${line%%:*}, "
		case $left in
		*"$exception"*) left=${left/"$exception"/ } ;;
		*) echo "$line"; status=1 ;;
		esac
	done <"$dir/findings"
	[ "$left" = " " ] || echo "exceptions without a finding:${left%, }"
	cocci_parsed "$dir" || status=1
	return $status
}

# cocci_seeds DIR - files with one fault each, that of the rule their name is. spatch
# looks at the indentation, so these have one.
cocci_seeds()
{
	cat >"$1/ifnullfree.c" <<'END'
void seed_free(void *p)
{
	if (p)
		kfree(p);
}
END
	cat >"$1/err_cast.h" <<'END'
static inline void *seed_cast(struct device *dev)
{
	return ERR_PTR(PTR_ERR(dev));
}
END
	cat >"$1/double_lock.c" <<'END'
void seed_lock(struct mutex *one, struct mutex *two)
{
	scoped_guard(mutex, two) {
		mutex_lock(one);
		mutex_lock(one);
		mutex_unlock(one);
	}
}
END
}

# coccinelle_seeded SOURCE - the same machinery finds faults that are there
coccinelle_seeded()
{
	local -x PATH=$cocci_path
	local dir=$WORK/coccinelle-seeds found seed status=0

	rm -rf "$dir"
	mkdir -p "$dir/tree"
	cocci_seeds "$dir/tree"
	found=$(cocci_run "$dir" "$1" free/ifnullfree api/err_cast locks/double_lock) || status=1
	echo "$found"
	for seed in "free/ifnullfree ifnullfree.c:4:" "api/err_cast err_cast.h:3:" \
		    "locks/double_lock double_lock.c:4:"; do
		grep -q "^$seed" <<<"$found" || {
			echo "not found: $seed"
			status=1
		}
	done
	return $status
}
