/*
 * What pra-passkey does: questions and answers in JSON, bytes in hexadecimal.
 *
 *   {"do":"read","rp":"gw.example.com","auth-data":...}
 *     -> {"ok":true,"credential":...,"algorithm":-7,"key":...,"counter":0}
 *   {"do":"verify","rp":...,"client-hash":...,"auth-data":...,"signature":...,"key":...,"algorithm":-7}
 *     -> {"ok":true,"counter":5}
 *   or {"ok":false,"why":"..."}
 */
#ifndef PRA_SERVER_PASSKEY_PASSKEY_H
#define PRA_SERVER_PASSKEY_PASSKEY_H

#include <jansson.h>

/* Never NULL but without memory; `question` may be anything. New reference. */
json_t *passkey_answer(const json_t *question);

#endif
