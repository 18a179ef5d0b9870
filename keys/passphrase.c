/*
 * A rough estimate of how hard a passphrase is to guess, in the spirit of zxcvbn: the passphrase is
 * cut into the pieces that a guesser would try, and each piece costs the logarithm of the
 * number of guesses. Errs on the low side; keys/README.md says how.
 *
 * Pieces: a common password (with capitals and letter-like digits undone), a run of one character,
 * a sequence of the alphabet, of digits or of the keyboard, a year, and otherwise single characters:
 * letters count 4.7 bits at the start of a word and 2 bits behind its third letter, since words are
 * far from random.
 */
#include "keys/keyfile.h"

#include <stdbool.h>
#include <string.h>

#include "common/i18n.h"
#include "common/utf8.h"

/* Longer passphrases are judged by their beginning; they are strong by then, or repetition. */
#define CHARS_MAX 128

/* All costs are in tenths of a bit. */
#define COST_WORD_START 47 /* one of 26 */
#define COST_WORD_INNER 20 /* English text: Shannon's estimate is below this */
#define WORD_START_LEN  3
#define COST_DIGIT      33
#define COST_SYMBOL     50
#define COST_BLANK      10 /* where one is expected, between words */
#define COST_FOREIGN    80 /* kana, kanji, accented letters */
#define COST_REPEAT     10
#define COST_SEQUENCE   60 /* which, where it starts, which direction */
#define COST_PER_STEP   5  /* of a run or a sequence: its length */
#define COST_YEAR       70 /* about 130 of them */
#define COST_COMMON     80 /* about 2^8 entries below, tried first */
#define COST_CAPITALS   20 /* spelled with capitals or digits for letters */
#define SEQUENCE_MIN    3

/* What leaked lists begin with, lower case; also as parts of longer passphrases. */
static const char *const common[] = {
    "password",      "passwort", "passwd",    "passw",     "123456",   "12345678", "123456789",
    "1234567890",    "qwerty",   "qwertz",    "azerty",    "letmein",  "welcome",  "admin",
    "administrator", "login",    "iloveyou",  "monkey",    "dragon",   "football", "baseball",
    "basketball",    "soccer",   "hockey",    "master",    "shadow",   "sunshine", "princess",
    "superman",      "batman",   "starwars",  "trustno1",  "secret",   "hello",    "freedom",
    "whatever",      "michael",  "jennifer",  "jordan",    "charlie",  "andrew",   "daniel",
    "jessica",       "ashley",   "thomas",    "matthew",   "robert",   "george",   "computer",
    "internet",      "server",   "network",   "system",    "default",  "changeme", "guest",
    "root",          "test",     "testing",   "temp",      "user",     "demo",     "office",
    "company",       "summer",   "winter",    "spring",    "autumn",   "january",  "february",
    "march",         "april",    "monday",    "sunday",    "friday",   "orange",   "banana",
    "cookie",        "pepper",   "ginger",    "flower",    "purple",   "yellow",   "silver",
    "golden",        "diamond",  "angel",     "love",      "lovely",   "family",   "mother",
    "father",        "buster",   "tigger",    "killer",    "hunter",   "ranger",   "harley",
    "mustang",       "yankees",  "chelsea",   "liverpool", "arsenal",  "maggie",   "pass",
    "abc123",        "qazwsx",   "1q2w3e4r",  "1qaz2wsx",  "q1w2e3r4", "zaq12wsx", "asdfgh",
    "zxcvbn",        "zxcvbnm",  "asdfghjkl", "google",    "apple",    "samsung",  "nintendo",
    "pokemon",       "naruto",   "sakura",    "tokyo",     "osaka",    "nihon",    "japan",
    "suzuki",        "tanaka",   "sato",      "takahashi", "watanabe", "yamada",   "yamamoto",
    "kobayashi",     "doraemon", "arigato",   "himitsu",   "correct",  "horse",    "battery",
    "staple",        "access",   "remote",    "tunnel",
};

static const char *const sequences[] = {
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
};

static uint32_t fold(uint32_t c)
{
    static const char digits[] = "013457@$!";
    static const char letters[] = "oieastasi";
    const char *at;

    if (c >= 'A' && c <= 'Z') {
        return c - 'A' + 'a';
    }
    at = c != 0 && c < 0x80 ? strchr(digits, (int)c) : NULL;
    return at != NULL ? (uint32_t)letters[at - digits] : c;
}

static uint32_t lower(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool is_letter(uint32_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Cost of the character at `i` on its own. */
static unsigned char_cost(const uint32_t *s, size_t i)
{
    size_t word = 0;

    if (is_letter(s[i])) {
        while (word < i && word < WORD_START_LEN && is_letter(s[i - word - 1])) {
            word++;
        }
        return word < WORD_START_LEN ? COST_WORD_START : COST_WORD_INNER;
    }
    if (s[i] == ' ') {
        return COST_BLANK;
    }
    return is_digit(s[i]) ? COST_DIGIT : s[i] < 0x80 ? COST_SYMBOL : COST_FOREIGN;
}

/* Length of the run of one character that starts at `i`. */
static size_t repeat_length(const uint32_t *s, size_t len, size_t i)
{
    size_t n = 1;

    while (i + n < len && s[i + n] == s[i]) {
        n++;
    }
    return n;
}

/* Longest walk along one of the sequences, in either direction, that starts at `i`. */
static size_t sequence_length(const uint32_t *s, size_t len, size_t i)
{
    size_t best = 1;

    for (size_t q = 0; q < sizeof(sequences) / sizeof(sequences[0]); q++) {
        const char *row = sequences[q];
        size_t row_len = strlen(row);

        for (size_t at = 0; at < row_len; at++) {
            size_t up = 0;
            size_t down = 0;

            while (i + up < len && at + up < row_len &&
                   lower(s[i + up]) == (uint32_t)row[at + up]) {
                up++;
            }
            while (i + down < len && down <= at && lower(s[i + down]) == (uint32_t)row[at - down]) {
                down++;
            }
            best = up > best ? up : best;
            best = down > best ? down : best;
        }
    }
    return best;
}

/* Whether `word` stands at `i`; sets *plain if it is spelled just so. */
static bool matches_word(const uint32_t *s, size_t len, size_t i, const char *word, bool *plain)
{
    size_t n = strlen(word);

    *plain = true;
    if (n > len - i) {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        uint32_t c = (uint32_t)(unsigned char)word[k];

        if (s[i + k] != c) {
            *plain = false;
            if (lower(s[i + k]) != c && fold(s[i + k]) != c) {
                return false;
            }
        }
    }
    return true;
}

static bool is_year(const uint32_t *s, size_t len, size_t i)
{
    return len - i >= 4 && ((s[i] == '1' && s[i + 1] == '9') || (s[i] == '2' && s[i + 1] == '0')) &&
           is_digit(s[i + 2]) && is_digit(s[i + 3]);
}

static void lower_to(unsigned *best, unsigned cost)
{
    if (cost < *best) {
        *best = cost;
    }
}

/* Offers every piece that starts at `i` to the costs of reaching the places behind it. */
static void offer_pieces(const uint32_t *s, size_t len, size_t i, unsigned *cost)
{
    size_t run = repeat_length(s, len, i);
    size_t walk = sequence_length(s, len, i);

    lower_to(&cost[i + 1], cost[i] + char_cost(s, i));
    for (size_t n = 2; n <= run; n++) {
        lower_to(&cost[i + n],
                 cost[i] + char_cost(s, i) + COST_REPEAT + (unsigned)n * COST_PER_STEP);
    }
    for (size_t n = SEQUENCE_MIN; n <= walk; n++) {
        lower_to(&cost[i + n], cost[i] + COST_SEQUENCE + (unsigned)n * COST_PER_STEP);
    }
    if (is_year(s, len, i)) {
        lower_to(&cost[i + 4], cost[i] + COST_YEAR);
    }
    for (size_t w = 0; w < sizeof(common) / sizeof(common[0]); w++) {
        bool plain;

        if (matches_word(s, len, i, common[w], &plain)) {
            lower_to(&cost[i + strlen(common[w])],
                     cost[i] + COST_COMMON + (plain ? 0 : COST_CAPITALS));
        }
    }
}

/* The same half twice costs little more than the half. */
static size_t without_repetition(const uint32_t *s, size_t len)
{
    for (size_t period = 1; period <= len / 2; period++) {
        size_t i = period;

        while (i < len && s[i] == s[i - period]) {
            i++;
        }
        if (i == len) {
            return period;
        }
    }
    return len;
}

unsigned passphrase_bits(const char *passphrase)
{
    uint32_t s[CHARS_MAX];
    unsigned cost[CHARS_MAX + 1];
    size_t left = strlen(passphrase);
    size_t len = 0;
    size_t period;
    unsigned bits;

    while (left > 0 && len < CHARS_MAX) {
        size_t n = utf8_decode(passphrase, left, &s[len]);

        if (n == 0) {
            s[len] = (unsigned char)*passphrase;
            n = 1;
        }
        len++;
        passphrase += n;
        left -= n;
    }
    period = without_repetition(s, len);
    memset(cost, 0xff, sizeof(cost));
    cost[0] = 0;
    for (size_t i = 0; i < period; i++) {
        offer_pieces(s, period, i, cost);
    }
    bits = len == 0 ? 0 : (cost[period] + (period < len ? COST_REPEAT : 0)) / 10;
    crypto_wipe(s, sizeof(s));
    return bits;
}

const char *passphrase_word(unsigned bits)
{
    if (bits < 20) {
        return tr("very weak", "とても弱い");
    }
    if (bits < 32) {
        return tr("weak", "弱い");
    }
    if (bits < 45) {
        return tr("fair", "普通");
    }
    if (bits < 64) {
        return tr("strong", "強い");
    }
    return tr("very strong", "とても強い");
}
