# One executable per folder of tests that holds *_test.cpp: tests/core becomes test_core.
# A test whose name (Suite.Test) matches this gtest pattern gets the label `threads` and runs under TSan in ./dev test.
set(ASYNCIO_THREAD_TESTS "*Thread*:*Executor*" CACHE STRING "gtest pattern of the tests that run under TSan")

find_package(GTest REQUIRED)
include(GoogleTest)

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.cpp)
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/tests tests/*_test.cpp)
set(layers ${test_sources})
list(TRANSFORM layers REPLACE "/.*" "")
list(REMOVE_DUPLICATES layers)

# Everything that the test executables share. Only gtest is precompiled, so that a test still names our headers itself.
file(CONFIGURE OUTPUT test_common.cpp CONTENT "// carries the precompiled header\n")
add_library(test_common STATIC ${support_sources} ${CMAKE_CURRENT_BINARY_DIR}/test_common.cpp)
target_include_directories(test_common PUBLIC tests src)
target_link_libraries(test_common PUBLIC asyncio GTest::gtest_main PRIVATE asyncio_warnings)
target_precompile_headers(test_common PRIVATE <gtest/gtest.h>)
target_compile_options(test_common PUBLIC   # ccache can then cache what uses the precompiled header
    $<IF:$<CXX_COMPILER_ID:Clang>,SHELL:-Xclang -fno-pch-timestamp,-fpch-preprocess>)

foreach(layer IN LISTS layers)
    set(layer_sources ${test_sources})
    list(FILTER layer_sources INCLUDE REGEX "^${layer}/")
    list(TRANSFORM layer_sources PREPEND tests/)
    set(target test_${layer})
    add_executable(${target} ${layer_sources})
    target_link_libraries(${target} PRIVATE test_common asyncio_warnings)
    target_precompile_headers(${target} REUSE_FROM test_common)
    gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_PREFIX "${layer}/"
        TEST_FILTER "-${ASYNCIO_THREAD_TESTS}" PROPERTIES TIMEOUT 60 LABELS unit)
    gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_PREFIX "${layer}/"
        TEST_FILTER "${ASYNCIO_THREAD_TESTS}" PROPERTIES TIMEOUT 120 LABELS threads)
endforeach()
