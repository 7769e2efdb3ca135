#!/usr/bin/env bash
# cluster.sh DIR: five machines on this one, made of namespaces: b1, b2, b3 have a brick each of a GlusterFS volume with
# three replicas, c1 and c2 mount it at DIR/mnt. Each has its own network, host name, processes, /proc/sys/kernel/random/boot_id
# and mounts. Prints `ready` when all is there; ends with its standard input, and all that is in the machines with it.
# `DIR/MACHINE.pid` has the pid that `nsenter --target PID --all` takes.
#
# A brick is the directory DIR/bN/brick, or what that links to. On a DIR that has been used before, the volume is the one
# of that time, with what its bricks have kept.
set -euo pipefail
dir=$1
volume=jobs
network=10.99.0

fail() {
  echo "cluster.sh: $1" >&2
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
  local place
  for place in /var/lib/glusterd /run /var/log/glusterfs; do
    mkdir -p "$place" "$dir/$machine$place"
    inside "$machine" mount --bind "$dir/$machine$place" "$place"
  done
}

machines=()
end() {
  local pid
  for pid in "${machines[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap end EXIT

boot switch
let_go_of_disks switch
inside switch ip link add br0 type bridge
inside switch ip link set br0 up
address=0
for machine in b1 b2 b3 c1 c2; do
  address=$((address + 1))
  boot "$machine"
  let_go_of_disks "$machine"
  settle_in "$machine"
  plug "$machine" "$address"
done

gluster() { inside b1 gluster --mode=script "$@" > "$dir/gluster.out" 2>&1 || fail "gluster $*: $(cat "$dir/gluster.out")"; }
patiently() {
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "in 20 s this did not succeed: $*"
}
sees_both_others() { [ "$(inside "$1" gluster --mode=script peer status | grep -c 'Peer in Cluster (Connected)')" -eq 2 ]; }
all_connected() { sees_both_others b1 && sees_both_others b2 && sees_both_others b3; }
bricks_run() { [ "$(inside b1 gluster --mode=script volume status "$volume" detail | grep -c '^Online *: Y')" -eq 3 ]; }

create_volume() {
  patiently inside b1 gluster --mode=script peer probe "$network.2"
  patiently inside b1 gluster --mode=script peer probe "$network.3"
  patiently all_connected
  brick() { readlink -f "$dir/$1/brick"; }
  gluster volume create "$volume" replica 3 "$network.1:$(brick b1)" "$network.2:$(brick b2)" "$network.3:$(brick b3)" force
  gluster volume set "$volume" performance.stat-prefetch off performance.readdir-ahead off performance.read-ahead off \
    performance.io-cache off performance.quick-read off performance.open-behind off performance.write-behind off \
    ctime off storage.max-hardlinks 0 network.ping-timeout 5
  gluster volume start "$volume"
}

mkdir -p "$dir/mnt"
for machine in b1 b2 b3; do
  mkdir -p "$dir/$machine/brick"
  inside "$machine" glusterd
done
if [ -d "$dir/b1/var/lib/glusterd/vols/$volume" ]; then patiently all_connected; else create_volume; fi
patiently bricks_run
for machine in c1 c2; do
  patiently inside "$machine" mount -t glusterfs -o attribute-timeout=0,entry-timeout=0,negative-timeout=0 \
    "$network.1:/$volume" "$dir/mnt"
done
echo ready
cat >/dev/null
