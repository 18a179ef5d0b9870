/* The queue of mail: what goes in, when it is tried, how it ends. */
#include <stdlib.h>

#include "common/os.h"
#include "server/admin/alerts.h"
#include "server/admin/mail.h"
#include "server/admin/hostkey.h"
#include "tests/unit/common/scratch.h"
#include "tests/unit/server/admin_support.h"

/* What is sealed needs a host key. */
static int make_key(void **state)
{
    char fingerprint[SSHKEY_FINGERPRINT_MAX];

    return scratch_make(state) != 0 ? -1
                                    : hostkey_create(scratch_path("host_key"), fingerprint, NULL);
}

static int open_with_mail(void **state)
{
    const struct admin_options opt = {.store_url = "ram:",
                                      .host_key_path = scratch_path("host_key"),
                                      .host = &host,
                                      .mail_from = "pra@example.com"};

    (void)state;
    return admin_open(&opt, &a, NULL);
}

static int queue(const struct mail_message *m, int64_t *id, struct fault *f)
{
    int rc;

    assert_int_equal(a->store->ops->begin(a->store, f), 0);
    rc = mail_queue(a, m, id, f);
    assert_int_equal(a->store->ops->commit(a->store, f), 0);
    return rc;
}

static int64_t put(const char *to, int64_t valid_s)
{
    const struct mail_message m = {
        .kind = "test", .to = to, .subject = "件名", .text = "text\n", .valid_s = valid_s};
    struct fault f = {0};
    int64_t id = 0;

    assert_int_equal(queue(&m, &id, &f), 0);
    return id;
}

static char *state_of(int64_t id)
{
    static char text[32];
    struct store_mail m;

    assert_int_equal(a->store->ops->mail_get(a->store, id, &m, NULL), 0);
    snprintf(text, sizeof(text), "%s", m.state);
    return text;
}

static bool says_something(int64_t id)
{
    char *content = NULL;
    bool any;

    assert_int_equal(a->store->ops->mail_content(a->store, id, &content, NULL), 0);
    any = content[0] != '\0';
    free(content);
    return any;
}

static int take(int64_t now, int64_t *id)
{
    char *content = NULL;
    int rc = admin_mail_next(a, now, id, &content);

    free(content);
    return rc;
}

static void mail_says_what_it_was_given(void **state)
{
    const struct mail_part part = {"a.csv", "text/csv", "1,2\n", 4};
    const struct mail_message m = {.kind = "report",
                                   .to = "suzuki@example.com",
                                   .subject = "月次レポート",
                                   .text = "本文\n",
                                   .html = "<p>本文</p>",
                                   .parts = &part,
                                   .part_count = 1};
    struct fault f = {0};
    int64_t id = 0, taken = 0;
    char *content = NULL;
    json_t *o;

    (void)state;
    assert_int_equal(queue(&m, &id, &f), 0);
    assert_int_equal(admin_mail_next(a, os_time_now(), &taken, &content), 0);
    assert_int_equal(taken, id);
    o = json_loads(content, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "to")), "suzuki@example.com");
    assert_string_equal(json_string_value(json_object_get(o, "from")), "pra@example.com");
    assert_string_equal(json_string_value(json_object_get(o, "subject")), "月次レポート");
    assert_string_equal(json_string_value(json_object_get(o, "html")), "<p>本文</p>");
    assert_string_equal(strchr(json_string_value(json_object_get(o, "id")), '@'), "@example.com");
    o = (json_decref(o), json_loads(content, 0, NULL));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(o, "parts"), 0), "data")),
        "MSwyCg==");
    json_decref(o);
    free(content);
}

static void line_breaks_are_refused_wherever_they_stand(void **state)
{
    static const char bad[] = "x\r\nBcc: y@example.com";
    const struct mail_part parts[] = {{bad, "text/csv", "", 0}, {"a.csv", bad, "", 0}};
    const struct mail_message mails[] = {
        {.kind = "k", .to = "a@b\r\nc@d", .subject = "s", .text = ""},
        {.kind = "k", .to = "a@b\n", .subject = "s", .text = ""},
        {.kind = "k", .to = "a@b", .subject = bad, .text = ""},
        {.kind = "k", .to = "a@b", .subject = "s\n", .text = ""},
        {.kind = "k", .to = "a@b", .subject = "s\xe2\x80\xa8t", .text = ""}, /* line separator */
        {.kind = "k", .to = "a@b", .subject = "s\xff", .text = ""},
        {.kind = "k", .to = "a@b", .subject = "", .text = ""},
        {.kind = "k", .to = "a@b", .subject = "s", .text = "\xff"},
        {.kind = "k", .to = "a@b", .subject = "s", .text = "", .parts = parts, .part_count = 1},
        {.kind = "k", .to = "a@b", .subject = "s", .text = "", .parts = parts + 1, .part_count = 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
        struct fault f = {0};

        if (queue(&mails[i], NULL, &f) != PRA_EINVAL)
            fail_msg("mail %zu was taken", i);
    }
}

static void mail_that_fails_waits_longer_each_time_and_lets_others_pass(void **state)
{
    int64_t now = os_time_now(), bad = put("bad@example.com", 0), good, id = 0, wait = 60;

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(take(now, &id), 0);
        assert_int_equal(id, bad);
        assert_string_equal(state_of(bad), "sending");
        assert_int_equal(take(now, &id), PRA_ENOENT); /* one at a time */
        assert_int_equal(admin_mail_done(a, bad, ADMIN_MAIL_LATER, "no\r\nanswer", now, 60), 0);
        assert_int_equal(take(now + wait - 1, &id), PRA_ENOENT);
        now += wait;
        wait = wait * 2 > 3600 ? 3600 : wait * 2;
    }
    good = put("good@example.com", 0);
    assert_int_equal(take(now - 1, &id), 0); /* long before the bad one's turn */
    assert_int_equal(id, good);
    assert_int_equal(admin_mail_done(a, good, ADMIN_MAIL_SENT, "", now, 60), 0);
    assert_string_equal(state_of(good), "sent");
    assert_false(says_something(good));
}

static void mail_is_given_up_when_its_time_is_over_and_forgets_what_it_said(void **state)
{
    int64_t now = os_time_now(), id = 0, brief = put("a@example.com", 1800),
            usual = put("b@example.com", 0);

    (void)state;
    assert_int_equal(take(now, &id), 0);
    assert_int_equal(id, brief);
    assert_int_equal(admin_mail_done(a, brief, ADMIN_MAIL_LATER, "down", now, 60), 0);
    assert_int_equal(take(now + 1801, &id), 0);
    assert_int_equal(id, usual);
    assert_int_equal(admin_mail_done(a, usual, ADMIN_MAIL_LATER, "down", now + 5 * 86400 - 1, 60),
                     0);
    assert_int_equal(take(now + 1802, &id), PRA_ENOENT);
    assert_string_equal(state_of(brief), "expired");
    assert_false(says_something(brief));
    assert_int_equal(take(now + 5 * 86400 + 1, &id), PRA_ENOENT);
    assert_string_equal(state_of(usual), "expired");
}

static void mail_that_was_refused_may_be_tried_again_by_hand(void **state)
{
    int64_t now = os_time_now(), id = 0, mail = put("a@example.com", 0);

    (void)state;
    assert_int_equal(take(now, &id), 0);
    assert_int_equal(admin_mail_done(a, mail, ADMIN_MAIL_NEVER, "550 no such user", now, 60), 0);
    assert_string_equal(state_of(mail), "failed");
    assert_int_equal(take(now + 7200, &id), PRA_ENOENT);
    done("mail.retry", json_pack("{s:I}", "id", (json_int_t)mail));
    assert_int_equal(take(now, &id), 0);
    assert_int_equal(admin_mail_done(a, mail, ADMIN_MAIL_SENT, "", now, 60), 0);
    refused("mail.retry", json_pack("{s:I}", "id", (json_int_t)mail), "invalid", "is sent");
}

static void mail_that_was_dropped_while_it_was_sent_is_gone(void **state)
{
    int64_t now = os_time_now(), id = 0, mail = put("a@example.com", 0);

    (void)state;
    assert_int_equal(take(now, &id), 0);
    done("mail.drop", json_pack("{s:I}", "id", (json_int_t)mail));
    assert_int_equal(admin_mail_done(a, mail, ADMIN_MAIL_SENT, "", now, 60), 0);
    refused("mail.drop", json_pack("{s:I}", "id", (json_int_t)mail), "not-found", "no mail");
}

static void what_was_being_sent_at_the_end_waits_again_at_the_next_start(void **state)
{
    int64_t now = os_time_now(), id = 0, mail = put("a@example.com", 0);

    (void)state;
    assert_int_equal(take(now, &id), 0);
    assert_int_equal(admin_mail_resume(a), 0);
    assert_string_equal(state_of(mail), "waiting");
}

static void full_queue_counts_what_it_drops(void **state)
{
    const struct mail_message m = {.kind = "k", .to = "a@b", .subject = "s", .text = ""};
    json_t *answer, *page;

    (void)state;
    for (int i = 0; i < MAIL_QUEUE_MAX; i++)
        put("a@example.com", 0);
    for (int i = 0; i < 3; i++) {
        struct fault f = {0};

        assert_int_equal(queue(&m, NULL, &f), PRA_EFULL);
    }
    answer = ask_raw(json_pack("{s:s, s:{s:i}}", "op", "mail.list", "args", "limit", 1));
    page = json_object_get(json_object_get(answer, "page"), "mail");
    assert_int_equal(json_integer_value(json_object_get(page, "dropped")), 3);
    assert_int_equal(json_integer_value(json_object_get(page, "waiting")), MAIL_QUEUE_MAX);
    json_decref(answer);
}

static void without_settings_nothing_is_queued(void **state)
{
    const struct mail_message m = {.kind = "k", .to = "a@b", .subject = "s", .text = ""};
    struct fault f = {0};

    (void)state;
    assert_int_equal(admin_set_mail(a, "", ""), 0);
    assert_int_equal(queue(&m, NULL, &f), PRA_EUNSUPPORTED);
}

/* A code that waits to be sent is of no use to who has a copy of the database. */
static void what_waits_cannot_be_read_in_the_store(void **state)
{
    const struct mail_message m = {.kind = "reset",
                                   .to = "suzuki@example.com",
                                   .subject = "s",
                                   .text = "ABCD-EFGH-JKLM-NPQR\n"};
    char *kept = NULL, *again = NULL, *content = NULL;
    struct fault f = {0};
    int64_t id = 0, taken = 0;

    (void)state;
    assert_int_equal(queue(&m, &id, &f), 0);
    assert_int_equal(a->store->ops->mail_content(a->store, id, &kept, NULL), 0);
    assert_null(strstr(kept, "ABCD"));
    assert_memory_equal(kept, "v1:", 3);
    assert_int_equal(queue(&m, &id, &f), 0);
    assert_int_equal(a->store->ops->mail_content(a->store, id, &again, NULL), 0);
    assert_string_not_equal(kept, again);
    assert_int_equal(admin_mail_next(a, os_time_now(), &taken, &content), 0);
    assert_non_null(strstr(content, "ABCD-EFGH-JKLM-NPQR"));
    free(kept);
    free(again);
    free(content);
}

/* Cut, changed, moved to another recipient's mail, or sealed by another gateway. */
static void what_cannot_be_opened_fails_and_lets_others_pass(void **state)
{
    struct store_mail row = {.state = "waiting", .kind = "reset", .recipient = "sato@example.com"};
    char *sealed = NULL, *content = NULL;
    struct fault f = {0};
    int64_t bad = 0, good = 0, taken = 0;

    (void)state;
    row.created = os_time_now();
    row.good_until = row.created + 60;
    assert_int_equal(mail_seal(a, "suzuki@example.com", "{}", &sealed, &f), 0);
    assert_int_equal(a->store->ops->mail_add(a->store, &row, sealed, &bad, &f), 0);
    good = put("tanaka@example.com", 60);
    assert_int_equal(take(os_time_now(), &taken), 0);
    assert_int_equal(taken, good);
    assert_string_equal(state_of(bad), "failed");
    for (size_t len = 0; len <= strlen(sealed); len++) {
        content = strndup(sealed, len);
        assert_int_equal(mail_unseal(a, "suzuki@example.com", &content, &f),
                         len < 3 || sealed[len] == '\0' ? 0 : PRA_ECORRUPT);
        free(content);
    }
    free(sealed);
    /* An older prad's, which was in the queue at the upgrade. */
    snprintf(row.recipient, sizeof(row.recipient), "endo@example.com");
    assert_int_equal(a->store->ops->mail_add(a->store, &row, "{\"text\":\"old\"}", &good, &f), 0);
    assert_int_equal(admin_mail_next(a, os_time_now(), &taken, &content), 0);
    assert_int_equal(taken, good);
    assert_string_equal(content, "{\"text\":\"old\"}");
    free(content);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_with_mail, close_admin)

/* As for a pra-admin that may not read it, or when it is lost. */
static int open_without_key(void **state)
{
    const struct admin_options opt = {.store_url = "ram:",
                                      .host_key_path = "/nonexistent/host_key",
                                      .host = &host,
                                      .mail_from = "pra@example.com"};

    (void)state;
    return admin_open(&opt, &a, NULL);
}

static void without_a_host_key_no_mail_is_made_and_nothing_else_fails(void **state)
{
    struct fault f = {0};

    (void)state;
    json_decref(ok("account.add", json_pack("{s:s, s:s, s:s}", "name", "chief", "role", "owner",
                                            "mail", "chief@example.com")));
    json_decref(
        ok("alert.mail.set", json_pack("{s:s, s:s}", "account", "chief", "minimum", "notice")));
    assert_int_equal(alert_raise(a, &(struct alert){.kind = ALERT_DISK, .subject = "/"}), 0);
    assert_int_equal(queue(&(struct mail_message){.kind = "test",
                                                  .to = "chief@example.com",
                                                  .subject = "s",
                                                  .text = "t"},
                           NULL, &f),
                     PRA_EUNSUPPORTED);
    assert_non_null(strstr(f.text, "host key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(mail_says_what_it_was_given),
        T(line_breaks_are_refused_wherever_they_stand),
        T(mail_that_fails_waits_longer_each_time_and_lets_others_pass),
        T(mail_is_given_up_when_its_time_is_over_and_forgets_what_it_said),
        T(mail_that_was_refused_may_be_tried_again_by_hand),
        T(mail_that_was_dropped_while_it_was_sent_is_gone),
        T(what_was_being_sent_at_the_end_waits_again_at_the_next_start),
        T(full_queue_counts_what_it_drops),
        T(without_settings_nothing_is_queued),
        T(what_waits_cannot_be_read_in_the_store),
        T(what_cannot_be_opened_fails_and_lets_others_pass),
        cmocka_unit_test_setup_teardown(without_a_host_key_no_mail_is_made_and_nothing_else_fails,
                                        open_without_key, close_admin),
    };

    return cmocka_run_group_tests(tests, make_key, scratch_remove);
}
