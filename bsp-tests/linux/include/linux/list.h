/* SPDX-License-Identifier: Apache-2.0 */
/* Doubly linked lists with a head. */
#ifndef LEAST_LIST_H
#define LEAST_LIST_H

#include <linux/types.h>

#define LIST_HEAD_INIT(name)    { &(name), &(name) }
#define LIST_HEAD(name)         struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
    list->next = list->prev = list;
}

static inline void least_list_join(struct list_head *first, struct list_head *second)
{
    first->next = second;
    second->prev = first;
}

static inline void least_list_insert(struct list_head *entry, struct list_head *before, struct list_head *after)
{
    least_list_join(before, entry);
    least_list_join(entry, after);
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
    least_list_insert(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
    least_list_insert(entry, head->prev, head);
}

static inline void list_del_init(struct list_head *entry)
{
    least_list_join(entry->prev, entry->next);
    INIT_LIST_HEAD(entry);
}

/* The entry must be initialized before it is used again. */
static inline void list_del(struct list_head *entry)
{
    least_list_join(entry->prev, entry->next);
    entry->next = entry->prev = NULL;
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
    least_list_join(entry->prev, entry->next);
    list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
    least_list_join(entry->prev, entry->next);
    list_add_tail(entry, head);
}

static inline int list_empty(const struct list_head *head)
{
    return head->next == head;
}

static inline int list_is_singular(const struct list_head *head)
{
    return !list_empty(head) && head->next == head->prev;
}

static inline int list_is_last(const struct list_head *entry, const struct list_head *head)
{
    return entry->next == head;
}

/* Moves all entries of list to the front of head. */
static inline void list_splice(struct list_head *list, struct list_head *head)
{
    if (!list_empty(list))
    {
        least_list_join(list->prev, head->next);
        least_list_join(head, list->next);
    }
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
    list_splice(list, head);
    INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
    list_splice_init(list, head->prev);
}

static inline void list_splice_tail(struct list_head *list, struct list_head *head)
{
    list_splice(list, head->prev);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member) (list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, n, head) \
    for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)
#define list_for_each_entry(pos, head, member) \
    for (pos = list_first_entry(head, __typeof__(*pos), member); &pos->member != (head); \
         pos = list_next_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member) \
    for (pos = list_first_entry(head, __typeof__(*pos), member), n = list_next_entry(pos, member); \
         &pos->member != (head); pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_from(pos, head, member) \
    for (; &pos->member != (head); pos = list_next_entry(pos, member))
#define list_for_each_entry_rcu(pos, head, member, ...) list_for_each_entry(pos, head, member)
#define list_for_each_entry_reverse(pos, head, member) \
    for (pos = list_last_entry(head, __typeof__(*pos), member); &pos->member != (head); \
         pos = list_prev_entry(pos, member))

#endif
