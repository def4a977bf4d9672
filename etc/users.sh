#!/bin/sh
# Makes the users and folders of tetherd, and says so; what is there stays.
#
#	users.sh LIBDIR		the folder with sysusers.d
#
# Does it by systemd's programs where they are, which need not run for it.

set -eu

lib=$1

say() {
	echo "tetherd: $*"
}

exists() {
	# $1: passwd or group; the name may be in neither file
	if command -v getent >/dev/null; then
		getent "$1" "$2" >/dev/null
	else
		grep -q "^$2:" "/etc/$1"
	fi
}

kind_of() {
	case $1 in
	_*) echo passwd ;;
	*) echo group ;;
	esac
}

make_group() {
	if command -v groupadd >/dev/null; then
		groupadd -r "$1"
	else
		addgroup -S "$1"
	fi
}

make_user() {
	if command -v useradd >/dev/null; then
		useradd -r -M -U -d / -s /usr/sbin/nologin "$1"
	else
		make_group "$1"
		adduser -S -D -H -h / -s /sbin/nologin -G "$1" "$1"
	fi
}

make_by_hand() {
	if [ "$(kind_of "$1")" = passwd ]; then
		make_user "$1"
	else
		make_group "$1"
	fi
}

make_all() {
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers "$lib/sysusers.d/tetherd.conf"
		return
	fi
	for name; do
		exists "$(kind_of "$name")" "$name" || make_by_hand "$name"
	done
}

# Mode and path.
make_folder() {
	if [ -d "$2" ]; then
		say "$2: is there"
		return
	fi
	mkdir -m "$1" "$2"
	say "$2: made"
}

if [ "$(id -u)" -ne 0 ]; then
	say "not root: no users and folders of the system were made"
	exit 0
fi

names='_tetherconn _tetherproxy tetherd'
new=
for name in $names; do
	if exists "$(kind_of "$name")" "$name"; then
		say "$name: is there"
	else
		new="$new $name"
	fi
done
# shellcheck disable=SC2086 # a list of words
[ -z "$new" ] || make_all $new
for name in $new; do
	if ! exists "$(kind_of "$name")" "$name"; then
		say "$name: could not be made" >&2
		exit 1
	fi
	say "$name: made"
done

make_folder 0755 /run/tetherd
make_folder 0700 /var/lib/tetherd
make_folder 0750 /var/log/tetherd
make_folder 0700 /etc/tetherd
