/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "request.h"

void request_queue(struct request **list, struct request *request)
{
	while (*list)
		list = &(*list)->next;
	request->next = NULL;
	*list = request;
}

void request_unqueue(struct request **list, const struct request *request)
{
	for (; *list; list = &(*list)->next) {
		if (*list == request) {
			*list = request->next;
			return;
		}
	}
}

struct request *request_next(struct request **list)
{
	struct request *one = *list;

	if (one)
		*list = one->next;
	return one;
}
