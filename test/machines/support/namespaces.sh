#!/usr/bin/env bash
# Sourced by scripts that make machines out of namespaces. Each has its own network, host name, processes,
# /proc/sys/kernel/random/boot_id and mounts; all are on one switch, and end with the script, and all that is in them.
# `$dir/MACHINE.pid` has the pid that `nsenter --target PID --all` takes; `$network.N` is the address of the Nth.

fail() {
  echo "${0##*/}: $1" >&2
  exit 1
}

inside() {
  local machine=$1
  shift
  nsenter --target "$(cat "$dir/$machine.pid")" --all -- "$@"
}

# A machine lives as long as the `unshare` that we have started: --kill-child.
boot() {
  local machine=$1
  mkdir -p "$dir/$machine"
  cat /proc/sys/kernel/random/uuid > "$dir/$machine/boot_id"
  unshare --net --uts --ipc --mount --pid --fork --kill-child --mount-proc \
    sh -c 'while :; do sleep 1000; done' </dev/null >/dev/null 2>&1 &
  local outer=$! inner=
  machines+=("$outer")
  for _ in $(seq 200); do
    inner=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null) && [ -n "$inner" ] && break
    sleep 0.02
  done
  [ -n "$inner" ] || fail "$machine did not start"
  echo "${inner// /}" > "$dir/$machine.pid"
}

# The machine has the mounts of this one, which others may want to unmount: of disks that are files it keeps its brick's.
let_go_of_disks() {
  local machine=$1 point brick
  brick=$(readlink -f "$dir/$machine/brick" || true)
  inside "$machine" sed -n 's|^/dev/loop[^ ]* \([^ ]*\) .*|\1|p' /proc/self/mounts | while read -r point; do
    case "$brick/" in "$point"/*) ;; *) inside "$machine" umount "$point" </dev/null || true ;; esac
  done
}

# A network card of its own, on the switch, which is a machine of its own too.
plug() {
  local machine=$1 address=$2
  ip link add eth0 netns "$(cat "$dir/$machine.pid")" type veth peer name "p$address" netns "$(cat "$dir/switch.pid")"
  inside switch ip link set "p$address" master br0 up
  inside "$machine" ip address add "$network.$address/24" dev eth0
  inside "$machine" ip link set eth0 up
}

settle_in() {
  local machine=$1
  inside "$machine" hostname "$machine"
  inside "$machine" ip link set lo up
  inside "$machine" mount --bind "$dir/$machine/boot_id" /proc/sys/kernel/random/boot_id
}

patiently() {
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "in 20 s this did not succeed: $*"
}

machines=()
end() {
  local pid
  for pid in "${machines[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap end EXIT

# make MACHINE ...: the first has the address 1.
make() {
  local machine address=0
  boot switch
  let_go_of_disks switch
  inside switch ip link add br0 type bridge
  inside switch ip link set br0 up
  for machine in "$@"; do
    address=$((address + 1))
    boot "$machine"
    let_go_of_disks "$machine"
    settle_in "$machine"
    plug "$machine" "$address"
  done
}
