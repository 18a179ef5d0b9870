/*
 * Algorithm lists; see algorithms.h. libssh leaves out names it does not know when a list is set,
 * so the hybrid post-quantum exchanges come into use with the first libssh that has them.
 */
#include "server/prad/algorithms.h"

#include <stddef.h>

#include "common/crypto.h"

#define KEX                                                                                        \
    "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"             \
    "curve25519-sha256,curve25519-sha256@libssh.org"

#define GCM    "aes128-gcm@openssh.com,aes256-gcm@openssh.com"
#define CHACHA "chacha20-poly1305@openssh.com"
#define CTR    "aes128-ctr,aes256-ctr"

/* For clients without an AEAD cipher: encrypt-then-MAC only. */
#define MACS "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"

#define PUBKEYS                                                                                    \
    "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"              \
    "ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"

#define RSA_MIN_BITS 2048

/* The client's order decides; ours is for one that has none. */
static const char *ciphers(void)
{
    return crypto_aes_is_fast() ? GCM "," CHACHA "," CTR : CHACHA "," GCM "," CTR;
}

int algorithms_bind(ssh_key host_key, ssh_bind *out, struct fault *f)
{
    const int rsa_min = RSA_MIN_BITS;
    const struct {
        enum ssh_bind_options_e option;
        const void *value;
    } options[] = {
        {SSH_BIND_OPTIONS_KEY_EXCHANGE, KEX},
        {SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, "ssh-ed25519"},
        {SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers()},
        {SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers()},
        {SSH_BIND_OPTIONS_HMAC_C_S, MACS},
        {SSH_BIND_OPTIONS_HMAC_S_C, MACS},
        {SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, PUBKEYS},
        {SSH_BIND_OPTIONS_RSA_MIN_SIZE, &rsa_min},
    };
    ssh_bind bind = ssh_bind_new();
    if (!bind)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (ssh_bind_options_set(bind, options[i].option, options[i].value) < 0) {
            fault_set(f, PRA_EUNSUPPORTED, "libssh refuses an algorithm list: %s",
                      ssh_get_error(bind));
            ssh_bind_free(bind);
            return PRA_EUNSUPPORTED;
        }
    }
    ssh_key copy = ssh_key_dup(host_key);
    if (!copy || ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, copy) < 0) {
        ssh_key_free(copy);
        ssh_bind_free(bind);
        return fault_set(f, PRA_ENOMEM, "libssh refuses the host key");
    }
    *out = bind;
    return 0;
}
