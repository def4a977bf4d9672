#!/bin/sh
# Sees to it that the packages for some purposes are installed.
#
#	deps.sh PURPOSE...	build, check, demo, e2e, lint, fuzz, bench
#
# Does nothing when nothing is missing.  On a system with apt-get it installs
# (as root, or through sudo); elsewhere it lists what is needed, and fails.

set -eu

# Debian's name of each package, and a command that shows that it is there.
packages() {
	case $1 in
	build)
		echo 'gcc|command -v cc'
		echo 'pkg-config|command -v pkg-config'
		echo 'byacc|command -v byacc'
		echo 'libevent-dev|pkg-config libevent_openssl libevent_extra'
		echo 'libwslay-dev|test -e /usr/include/wslay/wslay.h'
		echo 'libjson-c-dev|pkg-config json-c'
		echo 'libcurl4-openssl-dev|pkg-config libcurl'
		echo 'zlib1g-dev|pkg-config zlib'
		echo 'libsqlite3-dev|pkg-config sqlite3'
		echo 'libssl-dev|pkg-config openssl'
		echo 'libbsd-dev|pkg-config libbsd-overlay'
		echo 'libmd-dev|pkg-config libmd'
		echo 'libseccomp-dev|pkg-config libseccomp'
		;;
	check)
		packages build
		packages demo
		echo 'libcmocka-dev|pkg-config cmocka'
		echo 'npm|command -v npm'
		echo 'openssl|command -v openssl'
		echo 'procps|command -v ps'
		echo 'util-linux|command -v setpriv'
		echo 'mount|command -v mount'
		echo 'iproute2|command -v ip'
		echo 'binutils|command -v readelf'
		echo 'systemd|command -v systemd-analyze'
		;;
	demo)
		packages build
		echo 'nodejs|command -v node'
		echo 'sqlite3|command -v sqlite3'
		echo 'curl|command -v curl'
		echo 'bash|command -v bash'
		;;
	e2e)
		packages check
		echo 'g++|command -v c++'
		echo 'python3|command -v python3'
		echo 'git|command -v git'
		echo 'chromium|command -v chromium'
		echo 'fonts-dejavu-core|ls /usr/share/fonts/truetype/*/*.ttf'
		;;
	lint)
		packages build
		echo 'clang-format|command -v clang-format'
		echo 'shellcheck|command -v shellcheck'
		echo 'mandoc|command -v mandoc'
		echo 'nodejs|command -v node'
		;;
	fuzz)
		packages build
		echo 'clang|command -v clang'
		echo 'libclang-rt-14-dev|ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a'
		;;
	bench)
		packages check
		echo 'wrk|command -v wrk'
		;;
	*)
		echo "deps.sh: no such purpose: $1" >&2
		exit 1
		;;
	esac
}

missing() {
	for purpose; do
		packages "$purpose"
	done | sort -u | while IFS='|' read -r package check; do
		case $check in
		"pkg-config "*)
			check="pkg-config --exists ${check#pkg-config }" ;;
		esac
		sh -c "$check" >/dev/null 2>&1 || echo "$package"
	done
}

install() {
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	export DEBIAN_FRONTEND=noninteractive
	$as_root apt-get update -q
	$as_root apt-get install -q -y --no-install-recommends "$@"
}

wanted=$(missing "$@" | tr '\n' ' ')
[ -n "$wanted" ] || exit 0
echo "deps: missing: $wanted"
if command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] ||
    command -v sudo >/dev/null; }; then
	# shellcheck disable=SC2086 # a list of words
	install $wanted
else
	echo "deps: install these, by the names that they have in Debian" >&2
	exit 1
fi
wanted=$(missing "$@" | tr '\n' ' ')
[ -z "$wanted" ] || {
	echo "deps: still missing: $wanted" >&2
	exit 1
}
