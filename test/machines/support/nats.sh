#!/usr/bin/env bash
# nats.sh DIR: four machines on this one, made of namespaces: n1, n2, n3 are a cluster of NATS with a server each, on port
# 4222, and on port 8222 of localhost what it says of itself; c1 has none. Prints `ready` when the servers are; ends with
# its standard input.
set -euo pipefail
dir=$1
network=10.98.0
. "$(dirname "$0")/namespaces.sh"

make n1 n2 n3 c1
routes=nats://$network.1:6222,nats://$network.2:6222,nats://$network.3:6222
for n in 1 2 3; do
  cat > "$dir/n$n.conf" <<END
server_name: n$n
listen: 0.0.0.0:4222
http: 127.0.0.1:8222
jetstream { store_dir: "$dir/n$n" }
cluster { name: machines, listen: $network.$n:6222, routes: [$routes] }
END
  inside "n$n" nats-server -c "$dir/n$n.conf" -l "$dir/n$n.log" &
done
listens() { inside "$1" bash -c 'exec 3<> /dev/tcp/127.0.0.1/4222'; }
for machine in n1 n2 n3; do patiently listens "$machine"; done
echo ready
cat >/dev/null
