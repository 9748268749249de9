#!/usr/bin/env bash
# Asterisk 22.10.1 (Debian sid, with its own pjproject): a TLS transport of pjsip.conf without `method` speaks TLS 1.0 and
# nothing else. Telephones and carriers of today offer TLS 1.2 and 1.3, and are refused by an alert "protocol version".
# `method=tlsv1_2` and `method=tlsv1_3` are that one version alone. `method=sslv23`, whose name is of the last century, is
# TLS 1.2 and TLS 1.3: what one wants.
#
# A certificate whose file is replaced, when somebody has been shown the old one, is shown to nobody before `module reload
# res_pjsip.so`, and to everybody who connects after it, though the log says "Transport 'tls' is not fully reloadable".
# Connections that are open stay open.
#
# Seen:
#   asterisk 22.10.1
#   no method: TLSv1
#   method=tlsv1_2: TLSv1.2
#   method=tlsv1_3: TLSv1.3
#   method=sslv23: TLSv1.2 TLSv1.3
#   certificate: old, old after its file is replaced, new after a reload
#
# Fails when that is no longer so. Takes about a minute and 350 MB in a temporary folder; Asterisk is in namespaces of its
# own. Needs root, mmdebstrap, unshare, ip and openssl.
set -euo pipefail
folder=$(mktemp -d)
# Processes and mounts are made in namespaces alone: they end when what made the namespaces is killed.
apart() { unshare --mount-proc --pid --fork --kill-child "$@" & wait $!; }
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }' EXIT
root=$folder/root
apart mmdebstrap --quiet --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
    --include=asterisk,asterisk-modules sid "$root"
version=$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${source:Upstream-Version}' asterisk)
case $version in
    22.10.1 | 22.10.1+*) echo "asterisk ${version%%+*}" ;;
    *) echo "this finding is about Asterisk 22.10.1, but the archive now has $version" >&2; exit 1 ;;
esac
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 2 \
        -keyout "$root/etc/asterisk/key.pem" -out "$root/etc/asterisk/certificate.pem" 2>/dev/null
}
certificate old
cat >"$folder/look.sh" <<'LOOK'
set -euo pipefail
root=$1 mode=$2
ip link set lo up
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
chroot "$root" asterisk -f -n </dev/null >/dev/null 2>&1 &
rx() { chroot "$root" asterisk -rx "$*" >/dev/null 2>&1; }
for ((n = 0; n < 300; n++)); do rx core waitfullybooted && break; sleep 0.1; done
connect() { timeout 5 openssl s_client -connect 127.0.0.1:5061 "$@" </dev/null 2>/dev/null || true; }
shown() { connect | openssl x509 -noout -subject | sed 's/.*CN *= *//'; }
if [ "$mode" = versions ]; then
    for version in tls1 tls1_1 tls1_2 tls1_3; do
        # SECLEVEL=0: else openssl itself takes no TLS below 1.2.
        connect -"$version" -cipher 'DEFAULT:@SECLEVEL=0' | sed -n 's/^New, \(TLSv[0-9.]*\), Cipher is [^(].*/\1/p'
    done | sed 's/v1\.0$/v1/' | xargs
else
    before=$(shown)
    mv "$root/etc/asterisk/certificate.new" "$root/etc/asterisk/certificate.pem"
    mv "$root/etc/asterisk/key.new" "$root/etc/asterisk/key.pem"
    replaced=$(shown)
    rx module reload res_pjsip.so
    sleep 1
    echo "$before, $replaced after its file is replaced, $(shown) after a reload"
fi
LOOK
look() { apart --net --mount bash "$folder/look.sh" "$root" "$1"; }
transport() {
    printf '%s\n' '[tls]' 'type=transport' 'protocol=tls' 'bind=127.0.0.1:5061' \
        'cert_file=/etc/asterisk/certificate.pem' 'priv_key_file=/etc/asterisk/key.pem' \
        ${1:+"method=$1"} >"$root/etc/asterisk/pjsip.conf"
}
failed=0
expect() {
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "expected: $3" >&2; failed=1; }
}
transport && expect "no method" "$(look versions)" "TLSv1"
for method in tlsv1_2 tlsv1_3; do
    transport $method && expect "method=$method" "$(look versions)" "TLSv1.${method#tlsv1_}"
done
transport sslv23 && expect "method=sslv23" "$(look versions)" "TLSv1.2 TLSv1.3"
cp "$root/etc/asterisk/certificate.pem" "$folder/old.pem"
cp "$root/etc/asterisk/key.pem" "$folder/old.key"
certificate new
mv "$root/etc/asterisk/certificate.pem" "$root/etc/asterisk/certificate.new"
mv "$root/etc/asterisk/key.pem" "$root/etc/asterisk/key.new"
cp "$folder/old.pem" "$root/etc/asterisk/certificate.pem"
cp "$folder/old.key" "$root/etc/asterisk/key.pem"
expect "certificate" "$(look renewal)" "old, old after its file is replaced, new after a reload"
exit $failed
