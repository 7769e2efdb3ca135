#!/usr/bin/env bash
# cluster.sh DIR: five machines on this one, made of namespaces: b1, b2, b3 have a brick each of a GlusterFS volume with
# three replicas, c1 and c2 mount it at DIR/mnt. Prints `ready` when all is there; ends with its standard input.
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

mkdir -p "$dir/mnt"
for machine in b1 b2 b3; do
  mkdir -p "$dir/$machine/brick"
  inside "$machine" glusterd
done
gluster() { inside b1 gluster --mode=script "$@" > "$dir/gluster.out" 2>&1 || fail "gluster $*: $(cat "$dir/gluster.out")"; }
patiently inside b1 gluster --mode=script peer probe "$network.2"
patiently inside b1 gluster --mode=script peer probe "$network.3"
connected() { [ "$(inside b1 gluster --mode=script peer status | grep -c 'Peer in Cluster (Connected)')" -eq 2 ]; }
patiently connected
gluster volume create "$volume" replica 3 "$network.1:$dir/b1/brick" "$network.2:$dir/b2/brick" "$network.3:$dir/b3/brick" force
for setting in performance.{stat-prefetch,readdir-ahead,read-ahead,io-cache,quick-read,open-behind,write-behind}; do
  gluster volume set "$volume" "$setting" off
done
gluster volume set "$volume" storage.max-hardlinks 0
gluster volume set "$volume" network.ping-timeout 5
gluster volume start "$volume"
for machine in c1 c2; do
  patiently inside "$machine" mount -t glusterfs -o attribute-timeout=0,entry-timeout=0,negative-timeout=0 \
    "$network.1:/$volume" "$dir/mnt"
done
echo ready
cat >/dev/null
