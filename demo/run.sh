#!/usr/bin/env bash
# Starts a hub, an upstream and tetherd on free loopback ports, says which
# address to open, and stops all of them on Ctrl-C.
#
#	UPSTREAM	http://127.0.0.1:PORT of a Claude Code UI; absent: the
#			one on port 3001 if there is one, else the sample app
#	DATABASE_PATH	of that UI, ~/.cloudcli/auth.db if absent
#	JWT_SECRET	of that UI, if it was started with one
#	TETHERD_BUILD	the folder that make built into

# shellcheck disable=SC2317 # functions that a trap or "$@" reaches

set -u

here=$(cd "$(dirname "$0")" && pwd)
build=${TETHERD_BUILD:-$here/../build}
client=demo
declare -A pids=()

say() {
	printf 'demo: %s\n' "$*"
}

die() {
	say "$*" >&2
	exit 1
}

# End a program that was started here, and wait for its end.
stop() {
	local pid=${pids[$1]:-}

	[ -n "$pid" ] || return 0
	unset "pids[$1]"
	kill -TERM "$pid" 2>/dev/null || return 0
	for _ in $(seq 60); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	say "$1 does not end: killed" >&2
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}

clean_up() {
	trap '' INT TERM HUP
	stop tetherd
	stop upstream
	stop hub
	rm -rf "$dir"
}

# Start a program: its name here, then the command.  It gets a process group
# of its own, so that Ctrl-C reaches this script alone, which ends it in order.
start() {
	local name=$1

	shift
	set -m
	"$@" </dev/null >"$dir/$name.log" 2>&1 &
	pids[$name]=$!
	set +m
}

# The first line of a program's output that has the text; 15 seconds at most.
line_of() {
	local name=$1 text=$2

	for _ in $(seq 150); do
		grep -m 1 -F -e "$text" "$dir/$name.log" && return 0
		kill -0 "${pids[$name]}" 2>/dev/null || break
		sleep 0.1
	done
	say "$name did not say \"$text\":" >&2
	tail -n 20 "$dir/$name.log" >&2
	return 1
}

# True if what listens on a port of this host answers as the UI does.
is_ui() {
	local answer

	answer=$(
		exec 2>/dev/null
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
		printf 'GET /api/auth/status HTTP/1.1\r\nHost: localhost\r\n' >&3
		printf 'Connection: close\r\n\r\n' >&3
		timeout 3 head -c 4096 <&3
	)
	[[ $answer == *'"needsSetup":'* ]]
}

# Sets upstream_port, and database and secret to what belongs to it.
use_ui() {
	upstream_port=$1
	database=${DATABASE_PATH:-$HOME/.cloudcli/auth.db}
	secret=${JWT_SECRET:-}
	[ -r "$database" ] ||
		die "DATABASE_PATH: can't read the UI's user database $database"
}

use_sample_app() {
	local program line

	for program in node sqlite3; do
		command -v "$program" >/dev/null ||
			die "the sample app needs $program"
	done
	database=$dir/auth.db
	secret=$(random)
	umask 077
	sqlite3 "$database" 'CREATE TABLE users (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		username TEXT UNIQUE NOT NULL,
		password_hash TEXT NOT NULL,
		created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
		last_login DATETIME,
		is_active BOOLEAN DEFAULT 1)' || exit 1
	start upstream run_sample_app
	line=$(line_of upstream 'listening on') || exit 1
	upstream_port=${line##*:}
}

# The secrets go through the environment: others can read command lines.
run_sample_app() {
	export JWT_SECRET=$secret PORT=0
	exec node "$here/sample-app.mjs"
}

run_tetherd() {
	local name

	while read -r name; do
		case $name in
		HOME | PATH) ;;
		*) export -n "${name?}" ;;
		esac
	done < <(compgen -e)
	export ORCHESTRATOR_MODE=client
	export ORCHESTRATOR_URL=ws://127.0.0.1:$hub_port/ws/connect
	export ORCHESTRATOR_TOKEN=$token
	export ORCHESTRATOR_CLIENT_ID=$client
	export PORT=$upstream_port DATABASE_PATH=$database
	export STATE_DIRECTORY=$dir/state
	export RUNTIME_DIRECTORY=$dir
	[ -z "$secret" ] || export JWT_SECRET=$secret
	exec "$build/sbin/tetherd" -d
}

random() {
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

choose_upstream() {
	local url=${UPSTREAM:-}

	if [ -n "$url" ]; then
		[[ $url =~ ^http://(127\.0\.0\.1|localhost):([0-9]+)/?$ ]] ||
			die "UPSTREAM: not of the form http://127.0.0.1:PORT"
		use_ui "${BASH_REMATCH[2]}"
		say "upstream: $url"
	elif is_ui 3001; then
		use_ui 3001
		say "upstream: the Claude Code UI on port 3001"
	else
		use_sample_app
		say "upstream: the sample app"
	fi
}

for program in bin/tether-hub sbin/tetherd; do
	[ -x "$build/$program" ] || die "$build/$program is missing: run make"
done
dir=$(mktemp -d) || exit 1
trap clean_up EXIT
trap 'say "stopping"; exit 0' INT TERM HUP

choose_upstream
token=ao_1_$(random)
(umask 077 && printf '%s\n' "$token" >"$dir/token") || exit 1

start hub "$build/bin/tether-hub" --listen 127.0.0.1:0 \
	--token-file "$dir/token"
line=$(line_of hub 'listening on') || exit 1
hub_port=${line##*:}
hub_port=${hub_port%/}

start tetherd run_tetherd
line_of tetherd 'registered with' >/dev/null || exit 1

say "open http://127.0.0.1:$hub_port/clients/$client/proxy/"
say "logs: $dir/*.log; Ctrl-C stops everything"

wait -n
for name in "${!pids[@]}"; do
	kill -0 "${pids[$name]}" 2>/dev/null && continue
	say "$name ended by itself:" >&2
	tail -n 20 "$dir/$name.log" >&2
done
exit 1
