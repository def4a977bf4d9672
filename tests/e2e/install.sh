#!/usr/bin/env bash
# Installs the web apps of the end-to-end tests, each once: into a folder
# outside of the tree that is named for the lock file, this script, Node's ABI
# and the machine, and prints that folder.
#
#	install.sh [new] [old]	both if none is named
#	TETHERD_E2E_CACHE	where; ~/.cache/tetherd-e2e if absent

set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${TETHERD_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tetherd-e2e}
natives=(better-sqlite3 bcrypt node-pty sqlite3)
unfinished=

say() {
	printf 'install: %s\n' "$*" >&2
}

clean_up() {
	[ -z "$unfinished" ] || rm -rf "$unfinished"
}

# The folder of an app as its lock file is now.
folder() {
	local sum abi

	sum=$(cat "$here/$1/package-lock.json" "$here/install.sh" | sha256sum)
	abi=$(node -p 'process.versions.modules + "-" + process.arch')
	printf '%s/%s-%s-%s\n' "$cache" "$1" "${sum:0:16}" "$abi"
}

install_app() {
	local name=$1 target=$2

	mkdir -p "$cache"
	unfinished=$(mktemp -d "$cache/.$name.XXXXXX")
	cp "$here/$name/package.json" "$here/$name/package-lock.json" \
		"$unfinished/"
	say "$name: installing into $target"
	(
		cd "$unfinished"
		npm ci --ignore-scripts --no-audit --no-fund
		npm rebuild "${natives[@]}" --foreground-scripts
	) >&2
	chmod 755 "$unfinished"
	# Whoever is first wins; the other one's work is as good.
	mv -T "$unfinished" "$target" 2>/dev/null || [ -d "$target" ]
	clean_up
	unfinished=
}

trap clean_up EXIT
trap 'exit 1' INT TERM HUP

[ $# -gt 0 ] || set -- new old
for name; do
	[ -f "$here/$name/package-lock.json" ] || {
		say "$name: no such app"
		exit 1
	}
	target=$(folder "$name")
	[ -d "$target" ] || install_app "$name" "$target"
	printf '%s\n' "$target"
done
