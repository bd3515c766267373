#include <asyncio/tasks/to_thread.h>

#include <stop_token>  // that the declarations of the header agree with it
