#!/bin/sh
# Format the volume the first time, then run the broker; a formatted volume is left as it is.
set -eu
here=/etc/billstream-kafka
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$CLUSTER_ID" --config $here/server.properties
exec /opt/kafka/bin/kafka-server-start.sh $here/server.properties
