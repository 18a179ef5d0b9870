"""What libcrypto believes of the processor, which decides the cipher that PRA offers first."""

# libcrypto's own switches: no AES and no PCLMULQDQ, NEON alone. The programs read the same words.
NO_AES = {"OPENSSL_ia32cap": "~0x200000200000000", "OPENSSL_armcap": "0x1"}


def has_aes():
    with open("/proc/cpuinfo") as f:
        flags = f.read().split()
    return "aes" in flags and ("pclmulqdq" in flags or "pmull" in flags)
