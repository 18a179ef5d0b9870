/* Mailboxes and the resolver. */
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/prad/mailbox.h"
#include "server/prad/resolver.h"

/* ---- mailbox ------------------------------------------------------------------------------- */

struct letter {
    struct mail mail;
    int number;
};

struct reader {
    int count, last;
    bool ordered;
};

static atomic_int dropped;

static void deliver(struct mail *m, void *owner)
{
    struct letter *l = (struct letter *)m;
    struct reader *r = owner;
    if (r) {
        r->ordered &= l->number == r->last + 1;
        r->last = l->number;
        r->count++;
    } else {
        atomic_fetch_add(&dropped, 1);
    }
    free(l);
}

static void post(struct mailbox *box, int number)
{
    struct letter *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->mail.deliver = deliver;
    l->number = number;
    mailbox_post(box, &l->mail);
}

static bool readable(const struct mailbox *box)
{
    struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void mail_is_delivered_in_order_and_once(void **state)
{
    (void)state;
    struct mailbox box;
    struct reader r = {.ordered = true};
    assert_int_equal(mailbox_init(&box), 0);
    assert_false(readable(&box));
    for (int i = 1; i <= 100; i++)
        post(&box, i);
    assert_true(readable(&box));
    mailbox_deliver(&box, &r);
    assert_int_equal(r.count, 100);
    assert_true(r.ordered);
    assert_false(readable(&box));
    mailbox_deliver(&box, &r);
    assert_int_equal(r.count, 100);
    mailbox_close(&box);
}

static void closed_mailbox_drops_what_waits_and_what_comes(void **state)
{
    (void)state;
    struct mailbox box;
    atomic_store(&dropped, 0);
    assert_int_equal(mailbox_init(&box), 0);
    post(&box, 1);
    mailbox_close(&box);
    post(&box, 2);
    assert_int_equal(atomic_load(&dropped), 2);
}

#define SENDERS 4
#define LETTERS 5000

static void *sender(void *arg)
{
    for (int i = 0; i < LETTERS; i++)
        post(arg, i);
    return NULL;
}

static void many_senders_lose_no_mail(void **state)
{
    (void)state;
    struct mailbox box;
    struct reader r = {0};
    pthread_t t[SENDERS];
    assert_int_equal(mailbox_init(&box), 0);
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, sender, &box), 0);
    while (r.count < SENDERS * LETTERS) {
        struct pollfd p = {.fd = mailbox_fd(&box), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 5000), 1);
        mailbox_deliver(&box, &r);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(r.count, SENDERS * LETTERS);
    mailbox_close(&box);
}

/* ---- resolver ------------------------------------------------------------------------------ */

/* Stands before the system's: a name "slow..." is answered when `slow_lock` is free. */
static pthread_mutex_t slow_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int slow_calls;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    int (*system_one)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (strncmp(name, "slow", 4) == 0) {
        atomic_fetch_add(&slow_calls, 1);
        pthread_mutex_lock(&slow_lock);
        pthread_mutex_unlock(&slow_lock);
        return EAI_AGAIN;
    }
    *(void **)&system_one = dlsym(RTLD_NEXT, "getaddrinfo");
    return system_one(name, service, hints, list);
}

struct found {
    int calls;
    struct lookup_result result;
};

static void on_found(void *ctx, const struct lookup_result *r)
{
    struct found *f = ctx;
    f->calls++;
    f->result = *r;
}

static void wait_for_mail(struct mailbox *box)
{
    struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    mailbox_deliver(box, box);
}

/* A resolver, and the mailbox that it answers into. */
struct asking {
    struct mailbox box;
    struct resolver *r;
    struct found found; /* what was said of look_up()'s name */
};

static void begin(struct asking *a)
{
    *a = (struct asking){.r = NULL};
    assert_int_equal(mailbox_init(&a->box), 0);
    assert_int_equal(resolver_new(&a->r), 0);
}

static struct lookup *look_up(struct asking *a, const char *user, const char *name,
                              struct found *found)
{
    struct lookup *l;
    assert_int_equal(resolver_start(a->r, user, name, &a->box, on_found, found, &l), 0);
    return l;
}

static void wait_for(struct asking *a, const struct found *found)
{
    while (found->calls == 0)
        wait_for_mail(&a->box);
}

static void end(struct asking *a)
{
    assert_true(resolver_stop(a->r));
    mailbox_close(&a->box);
}

static void resolver_gives_each_address_once(void **state)
{
    (void)state;
    struct asking a;
    const struct lookup_result *got = &a.found.result;
    begin(&a);
    look_up(&a, "alice", "localhost", &a.found);
    wait_for(&a, &a.found);
    assert_int_equal(got->error, 0);
    assert_true(got->count >= 1);
    for (size_t i = 0; i < got->count; i++) {
        assert_int_equal(addr_classify(&got->ip[i]), ADDR_LOOPBACK);
        for (size_t k = 0; k < i; k++)
            assert_false(addr_ip_equal(&got->ip[i], &got->ip[k]));
    }
    end(&a);
}

static void cancelled_lookup_is_not_reported(void **state)
{
    (void)state;
    struct asking a;
    begin(&a);
    lookup_cancel(look_up(&a, "alice", "localhost", &a.found));
    wait_for_mail(&a.box);
    assert_int_equal(a.found.calls, 0);
    end(&a);
}

static void unknown_name_is_an_error_with_a_sentence(void **state)
{
    (void)state;
    struct asking a;
    begin(&a);
    look_up(&a, "alice", "no-such-name.invalid", &a.found);
    wait_for(&a, &a.found);
    assert_int_not_equal(a.found.result.error, 0);
    assert_int_equal(a.found.result.count, 0);
    assert_true(strlen(resolver_error_text(a.found.result.error)) > 10);
    end(&a);
}

static void full_resolver_says_so(void **state)
{
    (void)state;
    struct asking a;
    struct lookup *l;
    size_t accepted = 0;
    int rc = 0;
    begin(&a);
    pthread_mutex_lock(&slow_lock);
    while (accepted < 100 * RESOLVER_QUEUE_MAX && rc == 0) {
        char user[32];
        snprintf(user, sizeof(user), "user%zu", accepted);
        rc = resolver_start(a.r, user, "slow", &a.box, on_found, &a.found, &l);
        accepted += rc == 0;
    }
    assert_int_equal(rc, PRA_EFULL);
    assert_in_range(accepted, RESOLVER_QUEUE_MAX, RESOLVER_QUEUE_MAX + RESOLVER_THREADS);
    pthread_mutex_unlock(&slow_lock);
    end(&a);
}

/* As many slow names of one user as he may ask for; all of them but the last are in *l. */
static int fill(struct asking *a, struct found *f, struct lookup *l[])
{
    int count = 0;
    while (count < RESOLVER_QUEUE_USER_MAX + RESOLVER_USER_MAX &&
           resolver_start(a->r, "alice", "slow", &a->box, on_found, f, &l[count]) == 0)
        count++;
    return count;
}

static void slow_names_of_one_user_leave_threads_to_others(void **state)
{
    (void)state;
    struct asking a;
    struct lookup *slow[RESOLVER_QUEUE_USER_MAX + RESOLVER_USER_MAX];
    struct found alice = {0}, bob = {0};
    int count;
    begin(&a);
    atomic_store(&slow_calls, 0);
    pthread_mutex_lock(&slow_lock);
    count = fill(&a, &alice, slow);
    assert_in_range(count, RESOLVER_QUEUE_USER_MAX, RESOLVER_QUEUE_USER_MAX + RESOLVER_USER_MAX);
    look_up(&a, "bob", "localhost", &bob);
    wait_for(&a, &bob);
    assert_int_equal(bob.result.error, 0);
    assert_int_equal(alice.calls, 0);
    assert_in_range(atomic_load(&slow_calls), 1, RESOLVER_USER_MAX);

    /* What is cancelled before its turn is not asked; the last one keeps its turn. */
    for (int i = 0; i < count - 1; i++)
        lookup_cancel(slow[i]);
    pthread_mutex_unlock(&slow_lock);
    wait_for(&a, &alice);
    assert_int_equal(alice.calls, 1);
    assert_int_equal(alice.result.error, EAI_AGAIN);
    assert_in_range(atomic_load(&slow_calls), 1, RESOLVER_USER_MAX + 1);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_is_delivered_in_order_and_once),
        cmocka_unit_test(closed_mailbox_drops_what_waits_and_what_comes),
        cmocka_unit_test(many_senders_lose_no_mail),
        cmocka_unit_test(resolver_gives_each_address_once),
        cmocka_unit_test(cancelled_lookup_is_not_reported),
        cmocka_unit_test(unknown_name_is_an_error_with_a_sentence),
        cmocka_unit_test(full_resolver_says_so),
        cmocka_unit_test(slow_names_of_one_user_leave_threads_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
