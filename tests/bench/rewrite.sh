#!/usr/bin/env bash
# How fast the web apps' own files are rewritten, where the end-to-end tests
# have installed them; else made-up text.  Scripts also beside nginx, where
# that is installed.  Installs nothing.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
bench=${TETHERD_BUILD:-build}/bench_rewrite
cache=${TETHERD_E2E_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tetherd-e2e}
files=()

# The folder of an app, as tests/e2e/install.sh names it.
folder() {
	local sum abi

	cd "$here/../e2e"
	sum=$(cat "$1/package-lock.json" install.sh | sha256sum)
	abi=$(node -p 'process.versions.modules + "-" + process.arch')
	printf '%s/%s-%s-%s\n' "$cache" "$1" "${sum:0:16}" "$abi"
}

# add_files app package
add_files() {
	local dist file

	dist=$(folder "$1")/node_modules/$2/dist
	[ -d "$dist" ] || return 0
	while read -r file; do
		files+=("$file")
	done < <(find "$dist" -name index.html -o -name '*.css' -o \
		-name '*.js' -size +300k | sort)
}

add_files new @cloudcli-ai/cloudcli
add_files old @siteboon/claude-code-ui

[ ${#files[@]} -gt 0 ] ||
	echo 'The web apps are not installed (make deps-e2e): made-up text.'
"$bench" "${files[@]}"
node "$here/rewrite_nginx.mjs" "${files[@]}"
