/* thread.h: threads of ours, which leave signals to the main thread. */
#ifndef LRE_CORE_THREAD_H
#define LRE_CORE_THREAD_H

#include <pthread.h>

/* As pthread_create: 0, or why not. The thread takes no signals (the main one drains and saves at them) but for faults,
 * which are its own. */
int lre_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
