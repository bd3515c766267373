#include <asyncio/asyncio.h>
#include <asyncio/tls.h>

int main() { return asyncio::create_default_context().check_hostname() ? 0 : 1; }
