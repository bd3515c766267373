# `import asyncio;` as docs/modules.md has it, by the command line: FILE_SET CXX_MODULES wants CMake 3.28.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/modules)
    file(MAKE_DIRECTORY ${dir})
    set(tls_module "")
    if(has_tls)
        set(tls_module "$CXX -fmodule-file=asyncio=asyncio.pcm --precompile '${CMAKE_CURRENT_SOURCE_DIR}/modules/asyncio.tls.cppm' -o asyncio.tls.pcm")
    endif()
    set(uring "")
    if(has_io_uring)
        set(uring "${LIBURING_LIBRARY}")
    endif()
    add_test(NAME modules/import WORKING_DIRECTORY ${dir} COMMAND sh -ec
        "CXX='${CMAKE_CXX_COMPILER} -std=c++20 -O1 -pthread -Wall -Wextra -Werror -Wno-unused-command-line-argument -I${CMAKE_CURRENT_SOURCE_DIR}/include'
$CXX --precompile '${CMAKE_CURRENT_SOURCE_DIR}/modules/asyncio.cppm' -o asyncio.pcm
$CXX -c asyncio.pcm -o asyncio.o
$CXX -fmodule-file=asyncio=asyncio.pcm '${CMAKE_CURRENT_SOURCE_DIR}/tests/modules/main.cpp' asyncio.o '$<TARGET_FILE:asyncio>' ${uring} -o program
${tls_module}
./program | diff -u '${CMAKE_CURRENT_SOURCE_DIR}/tests/modules/expected.txt' -")
    set_tests_properties(modules/import PROPERTIES LABELS modules TIMEOUT 300)
endif()
