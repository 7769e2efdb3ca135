#!/usr/bin/env bash
# cluster.sh DIR: five machines on this one, made of namespaces: b1, b2, b3 have a brick each of a GlusterFS volume with
# three replicas, c1 and c2 mount it at DIR/mnt. Prints `ready` when all is there; ends with its standard input.
#
# A brick is the directory DIR/bN/brick, or what that links to. On a DIR that has been used before, the volume is the one
# of that time, with what its bricks have kept.
set -euo pipefail
dir=$1
volume=jobs
network=10.99.0
. "$(dirname "$0")/namespaces.sh"

make b1 b2 b3 c1 c2
for machine in b1 b2 b3 c1 c2; do
  for place in /var/lib/glusterd /run /var/log/glusterfs; do
    mkdir -p "$place" "$dir/$machine$place"
    inside "$machine" mount --bind "$dir/$machine$place" "$place"
  done
done

gluster() { inside b1 gluster --mode=script "$@" > "$dir/gluster.out" 2>&1 || fail "gluster $*: $(cat "$dir/gluster.out")"; }
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
