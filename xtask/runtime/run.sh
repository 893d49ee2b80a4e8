# $1: an OCI archive; then the command.
archive=$1
shift
mkdir -p /tmp/layout
tar -xf "$archive" -C /tmp/layout
tag=$(umoci ls --layout /tmp/layout | head -n 1)
umoci unpack --rootless --image "/tmp/layout:$tag" /tmp/bundle
cd /tmp/bundle
jq '.process.terminal = false | .process.args = $ARGS.positional' config.json --args -- "$@" > changed.json
mv changed.json config.json
runc --root /tmp/runc run one
