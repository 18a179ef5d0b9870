/* A session that receives a log bundle; see upload.h. */
#include "server/prad/upload.h"

#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"
#include "common/log.h"
#include "common/os.h"
#include "server/prad/control.h"
#include "server/prad/record.h"

#define HASH_HEX (2 * CRYPTO_SHA256_LEN)

static void tell(struct session *s, int64_t id, const char *state, const char *reason,
                 const char *bundle, size_t bytes)
{
    control_send(s, json_pack("{s:s, s:I, s:s, s:s?, s:s?, s:I}", "type", "log", "id",
                              (json_int_t)id, "state", state, "reason", reason, "bundle", bundle,
                              "bytes", (json_int_t)bytes));
}

static void refuse(struct session *s, int64_t id, const char *reason)
{
    record_session(s, AUDIT_BUNDLE, reason, "");
    tell(s, id, "refused", reason, NULL, 0);
}

static void describe(struct session *s, struct store_bundle *row)
{
    uint8_t random[8];
    crypto_random(random, sizeof(random));
    crypto_hex_encode(random, sizeof(random), row->public_id);
    snprintf(row->user, sizeof(row->user), "%s", s->entry.user);
    snprintf(row->device, sizeof(row->device), "%s", s->entry.device);
    snprintf(row->session, sizeof(row->session), "%s", s->entry.id);
    snprintf(row->version, sizeof(row->version), "%s", s->entry.version);
    addr_format_ip(&s->entry.source, row->source);
    row->at = os_time_now();
}

static bool is_hash(const char *text)
{
    return strlen(text) == HASH_HEX && strspn(text, "0123456789abcdef") == HASH_HEX;
}

/* ---- the way back -------------------------------------------------------------------------- */

/* On the worker's thread; without a session the client is gone, and the bundle is there all the same. */
static void on_finished(struct session *s, void *arg)
{
    struct upload *u = arg;
    if (s && s->phase == SESSION_OPEN) {
        if (u->rc != 0) {
            refuse(s, u->id, u->reason);
        } else {
            record_session(s, AUDIT_BUNDLE, u->row.breaks == 0 ? "whole" : "broken",
                           u->row.public_id);
            tell(s, u->id, "done", NULL, u->row.public_id, u->size);
        }
    }
    upload_free(u);
}

/* ---- the way in ---------------------------------------------------------------------------- */

int upload_begin(struct session *s, const json_t *o, struct fault *f)
{
    struct gateway *g = s->worker->gateway;
    int64_t id, size;
    const char *hash, *refusal;
    int rc = jsonl_get_int(o, "id", 0, INT64_MAX, &id, f);
    if (rc == 0)
        rc = jsonl_get_int(o, "size", 1, INT64_MAX, &size, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "sha256", HASH_HEX, &hash, f);
    if (rc == 0 && !is_hash(hash))
        rc = fault_set(f, PRA_EINVAL, "member 'sha256' is no SHA-256");
    if (rc != 0)
        return rc;
    if (s->upload || size > BUNDLE_SIZE_MAX) {
        refuse(s, id, s->upload ? "busy" : "size");
        return 0;
    }
    refusal = upload_enter(g->uploads, s->entry.user);
    if (refusal) {
        refuse(s, id, refusal);
        return 0;
    }
    struct upload *u = calloc(1, sizeof(*u));
    if (u)
        u->data = malloc((size_t)size);
    if (!u || !u->data) {
        free(u);
        upload_leave(g->uploads);
        refuse(s, id, "busy");
        return 0;
    }
    u->gateway = g;
    u->worker = s->worker;
    u->connection = s->entry.connection;
    u->started_ms = os_monotonic_ms();
    u->finished = on_finished;
    u->id = id;
    u->size = (size_t)size;
    u->row.size = size;
    memcpy(u->sha256, hash, sizeof(u->sha256));
    memcpy(u->row.sha256, hash, sizeof(u->sha256));
    describe(s, &u->row);
    s->upload = u;
    tell(s, id, "go", NULL, NULL, 0);
    return 0;
}

/* It is whole: is it what was announced? Then it goes on its way, and the session may send another. */
static void hand_over(struct session *s)
{
    struct upload *u = s->upload;
    uint8_t hash[CRYPTO_SHA256_LEN];
    char hex[HASH_HEX + 1] = "";
    s->upload = NULL;
    if (crypto_sha256(u->data, u->size, hash) == 0)
        crypto_hex_encode(hash, sizeof(hash), hex);
    if (strcmp(hex, u->sha256) == 0) {
        upload_hand_in(u);
        return;
    }
    refuse(s, u->id, "damaged");
    upload_free(u);
}

int upload_data(struct session *s, const json_t *o, struct fault *f)
{
    struct upload *u = s->upload;
    const char *data;
    int64_t id;
    int rc = jsonl_get_int(o, "id", 0, INT64_MAX, &id, f);
    if (rc == 0)
        rc = jsonl_get_string(o, "data", 4 * ((UPLOAD_PIECE_MAX + 2) / 3), &data, f);
    if (rc != 0)
        return rc;
    if (!u || u->id != id)
        return 0; /* was on its way when it was given up */
    size_t room = u->size - u->got;
    if (crypto_base64_decode(data, strlen(data), u->data + u->got, &room) != 0 || room == 0)
        return fault_set(f, PRA_EINVAL, "member 'data' is no base64, or more than was announced");
    u->got += room;
    if (u->got == u->size)
        hand_over(s);
    else
        tell(s, id, "more", NULL, NULL, u->got);
    return 0;
}

void upload_tick(struct session *s, uint64_t now_ms)
{
    struct upload *u = s->upload;
    if (!u || now_ms - u->started_ms < UPLOAD_LONGEST_S * 1000u)
        return;
    s->upload = NULL;
    refuse(s, u->id, "slow");
    upload_free(u);
}

void upload_end(struct session *s)
{
    upload_free(s->upload);
    s->upload = NULL;
}
