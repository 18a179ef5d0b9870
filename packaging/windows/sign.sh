#!/bin/sh
# Signs one program or package in place (Authenticode, SHA-256), and verifies what it has signed.
#
#   sign.sh FILE...
#
# SIGN                a PKCS#12 file with certificate and key, or `test`: a certificate of our own,
#                     made on the spot below SIGN_WORK. Its worth is that the step is tested.
# SIGN_PASSWORD_FILE  the file's password, in a file (never on a command line)
# SIGN_TIME           address of a time stamp service; without one a signature ends with its certificate
# SIGN_CA             certificates to verify with (default: the test certificate, else the system's)
set -eu
LC_ALL=C
export LC_ALL

die() {
    echo "sign.sh: $*" >&2
    exit 1
}

[ $# -gt 0 ] || die "usage: sign.sh FILE..."
: "${SIGN:?sign.sh: SIGN names the certificate}"

if [ "$SIGN" = test ]; then
    work=${SIGN_WORK:?sign.sh: SIGN_WORK is where the test certificate goes}
    SIGN=$work/test-sign.p12 SIGN_PASSWORD_FILE=$work/test-sign.password SIGN_CA=$work/test-sign.pem
    if [ ! -f "$SIGN" ]; then
        mkdir -p "$work"
        umask 077
        openssl rand -hex 16 >"$SIGN_PASSWORD_FILE"
        openssl req -x509 -newkey rsa:3072 -sha256 -days 30 -nodes -subj '/CN=PRA test signing' \
            -addext 'basicConstraints=critical,CA:TRUE' -addext 'extendedKeyUsage=codeSigning' \
            -keyout "$work/test-sign.key" -out "$SIGN_CA" 2>/dev/null
        openssl pkcs12 -export -in "$SIGN_CA" -inkey "$work/test-sign.key" -out "$SIGN.new" \
            -passout "file:$SIGN_PASSWORD_FILE"
        rm "$work/test-sign.key"
        mv "$SIGN.new" "$SIGN"
    fi
fi
[ -f "$SIGN" ] || die "$SIGN: no such file"
: "${SIGN_PASSWORD_FILE:?sign.sh: SIGN_PASSWORD_FILE names the file with the password}"

for file in "$@"; do
    new=$file.signed
    rm -f "$new"
    osslsigncode sign -pkcs12 "$SIGN" -readpass "$SIGN_PASSWORD_FILE" -h sha256 -n PRA \
        ${SIGN_TIME:+-ts "$SIGN_TIME"} -in "$file" -out "$new" >"$file.sign-log" 2>&1 ||
        { cat "$file.sign-log" >&2; die "$file could not be signed"; }
    osslsigncode verify ${SIGN_CA:+-CAfile "$SIGN_CA"} -in "$new" >"$file.sign-log" 2>&1 ||
        { cat "$file.sign-log" >&2; die "the signature of $file is not valid"; }
    rm "$file.sign-log"
    mv "$new" "$file"
done
