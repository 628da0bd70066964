# shellcheck shell=bash disable=SC2154
# Makes the certificates that ci/with-postgres lists, in $tls. Reads $log and $server_user.

certificate() { # NAME SUBJECT EXTENSION [further options]; self-signed without -CA
  openssl req -x509 -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') -nodes -days 2 -subj "$2" -addext "$3" \
    -keyout "$tls/$1.key" -out "$tls/$1.crt" "${@:4}" 2>>"$log" || fail "cannot make a certificate: $(tail "$log")"
}
# For what x509 cannot do: dates in the past (since OpenSSL 3.5), and revocation lists.
authority() { # OPTION... of openssl ca
  printf '%s\n' '[ca]' default_ca=d '[d]' "database=$tls/index" "new_certs_dir=$tls" default_md=sha256 policy=p \
    rand_serial=yes unique_subject=no copy_extensions=copy '[p]' commonName=supplied >"$tls/ca.conf"
  [[ -f $tls/index ]] || : >"$tls/index"
  openssl ca -batch -config "$tls/ca.conf" -keyfile "$tls/ca.key" -cert "$tls/ca.crt" "$@" 2>>"$log" \
    || fail "openssl ca ${*@Q}: $(tail "$log")"
}
revoke() { # NAME
  authority -revoke "$tls/$1.crt"
  authority -gencrl -crldays 2 -out "$tls/$1.crl"
}
make_certificates() {
  mkdir "$tls"
  local key=(-newkey ec -pkeyopt 'ec_paramgen_curve:prime256v1') name
  local signed=("${key[@]}" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -addext 'basicConstraints=critical,CA:FALSE')
  local names='subjectAltName=DNS:localhost,IP:127.0.0.1'
  certificate ca '/CN=sluice test authority' 'basicConstraints=critical,CA:TRUE' "${key[@]}"
  certificate server /CN=localhost "$names" "${signed[@]}"
  certificate revoked /CN=localhost "$names" "${signed[@]}"
  certificate self_signed /CN=localhost "$names" "${key[@]}"
  certificate sha384 /CN=localhost "$names" "${key[@]}" -sha384
  certificate ed25519 /CN=localhost "$names" -newkey ed25519
  certificate cert_user /CN=cert_user 'extendedKeyUsage=clientAuth' "${signed[@]}"
  openssl req -new -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') -nodes "${key[@]}" -subj /CN=localhost \
    -addext "$names" -keyout "$tls/expired.key" -out "$tls/expired.csr" 2>>"$log" \
    || fail "cannot make a certificate: $(tail "$log")"
  authority -in "$tls/expired.csr" -startdate 20200101000000Z -enddate 20200102000000Z -notext -out "$tls/expired.crt"
  revoke revoked
  openssl pkcs8 -topk8 -in "$tls/cert_user.key" -out "$tls/cert_user.locked.key" -passout pass:secret 2>>"$log"
  openssl pkey -in "$tls/cert_user.key" -outform DER -out "$tls/cert_user.der" 2>>"$log"
  chmod 600 "$tls"/*.key "$tls"/*.der
  if ((EUID == 0)); then
    for name in server revoked self_signed sha384 ed25519 expired; do chown "$server_user" "$tls/$name.key"; done
  fi
}
