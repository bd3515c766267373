# One executable per folder of tests that holds *_test.cpp: tests/core becomes test_core. ctest runs each in a few shards, since
# a process for each test costs more than most tests do; run a single test with test_core --gtest_filter=Suite.Test.
# A test whose name (Suite.Test) matches this gtest pattern gets the label `threads` and runs under TSan in ./dev test.
set(ASYNCIO_THREAD_TESTS "*Thread*:*Executor*" CACHE STRING "gtest pattern of the tests that run under TSan")
option(ASYNCIO_ONLY_THREAD_TESTS "Build only the files that hold such tests" OFF)
set(ASYNCIO_TEST_LAYERS "" CACHE STRING "Build only the tests in these folders of tests; none: all")

# The tests of a layer that run on both I/O backends; those of the os layer name their backend themselves.
set(io_tests_loop_unit "FdCallbacks.*:Signals.*")
set(io_tests_loop_threads "FdCallbacksThread.*:SignalsThread.*:ThreadSafe.*")
set(io_tests_net_unit "*-${ASYNCIO_THREAD_TESTS}")
set(io_tests_net_threads "${ASYNCIO_THREAD_TESTS}")
set(io_tests_tls_unit "${io_tests_net_unit}")
set(io_tests_tls_threads "${io_tests_net_threads}")
set(io_tests_process_unit "*-${ASYNCIO_THREAD_TESTS}")
set(io_tests_process_threads "${ASYNCIO_THREAD_TESTS}")

find_package(GTest REQUIRED)

# It looks at warnings in the library's headers, so it reads them itself, after it has asked for more of them.
set_source_files_properties(tests/core/return_conversion_test.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/tests tests/*_test.cpp)
if(ASYNCIO_ONLY_THREAD_TESTS)
    set(all_test_sources ${test_sources})
    set(test_sources)
    foreach(source IN LISTS all_test_sources)
        file(STRINGS tests/${source} tests REGEX "^TEST(_[A-Z]+)?\\(.*(Thread|Executor)")
        if(tests)
            list(APPEND test_sources ${source})
        endif()
    endforeach()
endif()
set(layers ${test_sources})
list(TRANSFORM layers REPLACE "/.*" "")
list(REMOVE_DUPLICATES layers)
if(ASYNCIO_TEST_LAYERS)
    set(layers ${ASYNCIO_TEST_LAYERS})
endif()
if(NOT has_tls AND "tls" IN_LIST layers)
    list(REMOVE_ITEM layers tls)
    message(STATUS "without OpenSSL 3.0 there are no tests of TLS")
endif()
if(NOT TARGET asyncio_inspect_parts)
    list(REMOVE_ITEM layers inspect)
endif()

# Everything that the test executables share. The checks for null and misaligned pointers double the time to compile a test,
# so they are left to the library and the programs; AddressSanitizer sees what such pointers lead to.
# What is precompiled hides a missing #include; the clang preset precompiles gtest alone and finds it.
file(CONFIGURE OUTPUT test_common.cpp CONTENT "// carries the precompiled header\n")
add_library(test_common STATIC ${CMAKE_CURRENT_BINARY_DIR}/test_common.cpp)
target_sources(test_common INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/tests/support/forked_child.cpp)
target_include_directories(test_common PUBLIC tests src)
target_link_libraries(test_common PUBLIC asyncio GTest::gtest_main PRIVATE asyncio_warnings)
target_precompile_headers(test_common PRIVATE <gtest/gtest.h>
    $<$<NOT:$<CXX_COMPILER_ID:Clang>>:<asyncio/asyncio.h$<ANGLE-R>>)
target_compile_options(test_common PUBLIC -fno-sanitize=null,alignment
    # ccache can then cache what uses the precompiled header
    $<IF:$<CXX_COMPILER_ID:Clang>,SHELL:-Xclang -fno-pch-timestamp,-fpch-preprocess>)

function(add_gtest_shards target name filter shards label)
    math(EXPR last "${shards} - 1")
    foreach(shard RANGE ${last})
        math(EXPR number "${shard} + 1")
        add_test(NAME ${name}_${number} COMMAND ${target} --gtest_filter=${filter})
        set_tests_properties(${name}_${number} PROPERTIES LABELS ${label} TIMEOUT 600
            ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${shard};${ARGN}")
    endforeach()
endfunction()

set(certificates tests/tls/certificates.cpp)  # of the peers in tests by TLS

foreach(layer IN LISTS layers)
    set(layer_sources ${test_sources})
    list(FILTER layer_sources INCLUDE REGEX "^${layer}/")
    list(TRANSFORM layer_sources PREPEND tests/)
    if(layer STREQUAL "faults")  # the programs in which something fails, and what makes it fail
        file(GLOB layer_sources CONFIGURE_DEPENDS tests/faults/*.cpp)
    endif()
    set(target test_${layer})
    add_executable(${target} ${layer_sources})
    target_link_libraries(${target} PRIVATE test_common asyncio_warnings)
    target_precompile_headers(${target} REUSE_FROM test_common)
    if(layer STREQUAL "tls")
        target_sources(${target} PRIVATE ${certificates})
        target_link_libraries(${target} PRIVATE asyncio_tls OpenSSL::SSL)
    endif()
    if(layer STREQUAL "core")  # it loads and unloads a module, which has the library from it
        add_library(unloaded_module MODULE tests/core/unloaded_module.cpp)
        target_include_directories(unloaded_module PRIVATE tests include)
        target_compile_features(unloaded_module PRIVATE cxx_std_20)
        target_compile_options(unloaded_module PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)  # or it would stay
        target_link_libraries(unloaded_module PRIVATE asyncio_warnings)
        add_dependencies(${target} unloaded_module)
        target_link_options(${target} PRIVATE -rdynamic)
        set_source_files_properties(tests/core/unloaded_module_test.cpp PROPERTIES COMPILE_DEFINITIONS
            "ASYNCIO_UNLOADED_MODULE=\"$<TARGET_FILE:unloaded_module>\"" SKIP_PRECOMPILE_HEADERS ON)
    endif()
    if(layer STREQUAL "inspect")
        target_link_libraries(${target} PRIVATE asyncio_inspect_parts)
    endif()
    if(layer STREQUAL "faults")
        foreach(function _ZN7asyncio6detail22every_block_is_watchedEv _ZN7asyncio6detail9PoolDepot4takeEtj
                accept4 bind __clone close connect dup3 epoll_create1 epoll_ctl epoll_wait eventfd fcntl64 fstat64
                getaddrinfo getnameinfo getpeername getsockname getsockopt isatty listen lseek64 madvise mmap64 munmap
                open64 pipe2 poll ppoll read recv recvfrom recvmmsg recvmsg send sendfile64 sendmmsg sendmsg sendto
                setsockopt shutdown socket socketpair stat64 syscall unlink waitid write)
            target_link_options(${target} PRIVATE -Wl,--wrap=${function})
        endforeach()
        if(has_tls)
            target_sources(${target} PRIVATE ${certificates})
            target_compile_definitions(${target} PRIVATE FAULTS_TLS)
            target_link_libraries(${target} PRIVATE asyncio_tls OpenSSL::SSL)
        endif()
        if(has_io_uring)
            target_compile_definitions(${target} PRIVATE FAULTS_IO_URING)
            target_include_directories(${target} SYSTEM PRIVATE ${LIBURING_INCLUDE_DIR})
            foreach(function queue_init_params register_buf_ring submit submit_and_get_events submit_and_wait
                    submit_and_wait_timeout)
                target_link_options(${target} PRIVATE -Wl,--wrap=io_uring_${function})
            endforeach()
        endif()
        add_gtest_shards(${target} unit_pool/${layer} "*Allocation*:*SystemCall*-*/signals" 3 unit FAULTS_POOL=1)
    endif()
    add_gtest_shards(${target} unit/${layer} "-${ASYNCIO_THREAD_TESTS}" 4 unit)
    add_gtest_shards(${target} threads/${layer} "${ASYNCIO_THREAD_TESTS}" 2 threads)

    # What has to do with input and output runs once more, on the other backend.
    foreach(label unit threads)
        if(has_io_uring AND io_tests_${layer}_${label})
            add_gtest_shards(${target} ${label}_io_uring/${layer} "${io_tests_${layer}_${label}}" 2 ${label}
                ASYNCIO_IO_BACKEND=io_uring)
        endif()
    endforeach()
endforeach()

# As on a kernel that lacks what is newer than 5.0. There a thread waits for each child: left out is what counts the passes
# until it is told, and who else reaps a child comes too late.
add_executable(old_kernel tests/kernels/old_kernel.cpp)
target_link_libraries(old_kernel PRIVATE asyncio_warnings)
set(not_on_old_kernels_process "-SubprocessTraces.*:ChildEnds.WhoeverReaps*")
foreach(layer loop process)
    if(TARGET test_${layer})
        add_test(NAME old_kernel/${layer} COMMAND old_kernel $<TARGET_FILE:test_${layer}>
            "--gtest_filter=${not_on_old_kernels_${layer}}")
        set_tests_properties(old_kernel/${layer} PROPERTIES LABELS old_kernel TIMEOUT 600 SKIP_RETURN_CODE 77)
    endif()
endforeach()

# libFuzzer over what a connection by TLS receives: ./dev fuzz
if(has_tls AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_executable(tls_fuzzer EXCLUDE_FROM_ALL tests/tls/tls_fuzzer.cpp ${certificates})
    target_include_directories(tls_fuzzer PRIVATE tests src)
    target_link_libraries(tls_fuzzer PRIVATE asyncio_tls asyncio OpenSSL::SSL GTest::gtest)
    target_link_options(tls_fuzzer PRIVATE -fsanitize=fuzzer)
endif()
