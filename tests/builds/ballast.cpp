// Another module that wants static thread-local storage, of which a program keeps some 512 bytes for what it loads.
[[gnu::tls_model("initial-exec"), gnu::visibility("default")]] thread_local char ballast[256] = {1};
extern "C" [[gnu::visibility("default")]] char* address_of_ballast() { return ballast; }
