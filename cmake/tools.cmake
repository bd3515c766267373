# The house rules as tests: each checker runs once on itself (it must be able to fail) and once on the tree.
set(checkers check_layers check_options check_co_await check_cpython_rows check_differences check_headers check_links check_packaging check_python_map extract_snippets compare_example show_failures)
find_program(DOXYGEN_PROGRAM doxygen)
mark_as_advanced(DOXYGEN_PROGRAM)
if(DOXYGEN_PROGRAM)
    list(APPEND checkers check_reference)
endif()
foreach(checker IN LISTS checkers)
    set(command ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/${checker}.py)
    add_test(NAME tools/${checker}.self_test COMMAND ${command} --self-test)
    set_property(TEST tools/${checker}.self_test PROPERTY LABELS tools)
    if(checker MATCHES "^check_")
        add_test(NAME tools/${checker} COMMAND ${command})
        set_tests_properties(tools/${checker} PROPERTIES LABELS tools TIMEOUT 600)
    endif()
endforeach()
add_test(NAME tools/bench.self_test COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/bench/run.py --self-test)
set_property(TEST tools/bench.self_test PROPERTY LABELS tools)
if(DOXYGEN_PROGRAM)
    add_test(NAME tools/make_modules COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tools/make_modules.py --check)
    set_property(TEST tools/make_modules PROPERTY LABELS tools)
endif()
set_property(TEST tools/check_headers PROPERTY RUN_SERIAL ON)   # it measures CPU time

add_test(NAME tools/messages
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/tests/messages/messages_test.py ${CMAKE_CXX_COMPILER})
set_tests_properties(tools/messages PROPERTIES LABELS tools TIMEOUT 300)

# A project that knows only what was installed: find_package(asyncio), then asyncio.pc.
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/package)
add_test(NAME package/install
    COMMAND ${CMAKE_COMMAND} --install ${CMAKE_CURRENT_BINARY_DIR} --prefix ${prefix}/prefix)
add_test(NAME package/find_package COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/tests/package ${prefix}/consumer --build-generator ${CMAKE_GENERATOR}
    --build-options -DCMAKE_PREFIX_PATH=${prefix}/prefix -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
        "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}"
    --test-command consumer)
set_tests_properties(package/install PROPERTIES LABELS package FIXTURES_SETUP package)
add_test(NAME package/tools
    COMMAND ${prefix}/prefix/${CMAKE_INSTALL_BINDIR}/asyncio-check-co-await ${CMAKE_CURRENT_SOURCE_DIR}/tests/package/main.cpp)
set_tests_properties(package/find_package package/tools PROPERTIES LABELS package FIXTURES_REQUIRED package)

find_program(PKG_CONFIG_PROGRAM pkg-config)
mark_as_advanced(PKG_CONFIG_PROGRAM)
if(PKG_CONFIG_PROGRAM)
    add_test(NAME package/pkg_config COMMAND sh -ec "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_FLAGS} -o '${prefix}/pc_consumer' \
'${CMAKE_CURRENT_SOURCE_DIR}/tests/package/main.cpp' $(pkg-config --cflags --libs asyncio) && '${prefix}/pc_consumer'")
    set_tests_properties(package/pkg_config PROPERTIES LABELS package FIXTURES_REQUIRED package
        ENVIRONMENT PKG_CONFIG_PATH=${prefix}/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
if(PKG_CONFIG_PROGRAM AND has_tls)
    add_test(NAME package/pkg_config_tls COMMAND sh -ec "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_FLAGS} -o '${prefix}/pc_tls' \
'${CMAKE_CURRENT_SOURCE_DIR}/tests/package/tls.cpp' $(pkg-config --cflags --libs asyncio-tls) && '${prefix}/pc_tls'")
    set_tests_properties(package/pkg_config_tls PROPERTIES LABELS package FIXTURES_REQUIRED package
        ENVIRONMENT PKG_CONFIG_PATH=${prefix}/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
