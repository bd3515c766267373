# The ways in which others build the library: ctest's label `builds`. Each configures tests/builds, where the library is a
# part of another project, builds it and runs its program; so it fails when its configuration does not build. What needs
# more than half a minute of CPU time has the label `platforms` instead.
# LOADED: modules that have it, loaded by a program that has not, are a test of their own.
# SOURCE: the project, if not tests/builds.
# add_build(label name [LOADED] [SOURCE dir] [COMPILER compiler] [OPTIONS compiler options] [CACHE -DNAME=value...] [RUN_BY emulator])
function(add_build label name)
    cmake_parse_arguments(PARSE_ARGV 2 arg "LOADED" "COMPILER;SOURCE" "RUN_BY;OPTIONS;CACHE")
    if(NOT arg_SOURCE)
        set(arg_SOURCE tests/builds)
    endif()
    if(NOT arg_COMPILER)
        set(arg_COMPILER ${CMAKE_CXX_COMPILER})
    endif()
    find_program(compiler_of_${name} ${arg_COMPILER})
    mark_as_advanced(compiler_of_${name})
    if(NOT compiler_of_${name})
        message(STATUS "without ${arg_COMPILER} there is no test ${label}/${name}")
        return()
    endif()
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/builds/${name})
    add_test(NAME ${label}/${name} COMMAND ${CMAKE_CTEST_COMMAND}
        --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE} ${dir} --build-generator Ninja
        --build-options -DCMAKE_CXX_COMPILER=${compiler_of_${name}} -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE_PROGRAM}
            "-DPARENT_OPTIONS=${arg_OPTIONS}" ${arg_CACHE}
        --test-command ${arg_RUN_BY} ${dir}/program)
    set_tests_properties(${label}/${name} PROPERTIES LABELS ${label} TIMEOUT 1200)
    if(arg_LOADED)
        add_test(NAME ${label}/${name}.loaded COMMAND ${dir}/host ${dir}/ballast.so ${dir}/module_1.so ${dir}/module_2.so)
        set_tests_properties(${label}/${name} PROPERTIES FIXTURES_SETUP ${name})
        set_tests_properties(${label}/${name}.loaded PROPERTIES LABELS ${label} TIMEOUT 120 FIXTURES_REQUIRED ${name})
    endif()
endfunction()

# The warnings of a strict parent, with what they are false about when optimising.
set(strict -Wall -Wextra -Wnon-virtual-dtor -Werror)
add_build(builds strict_parent LOADED OPTIONS ${strict} -O3 CACHE -DCMAKE_POSITION_INDEPENDENT_CODE=ON)
add_build(builds hidden_symbols LOADED OPTIONS ${strict} -O0 -fvisibility=hidden -fvisibility-inlines-hidden
    CACHE -DBUILD_SHARED_LIBS=ON)
add_build(builds libcxx COMPILER clang++-19 OPTIONS ${strict} -stdlib=libc++
    CACHE -DCMAKE_EXE_LINKER_FLAGS=-stdlib=libc++)
add_build(builds libcxx_stop_token COMPILER clang++-19 OPTIONS ${strict} -stdlib=libc++ -fexperimental-library
    CACHE -DCMAKE_EXE_LINKER_FLAGS=-stdlib=libc++)
add_build(builds cxx23_assertions COMPILER g++ OPTIONS ${strict} -D_GLIBCXX_ASSERTIONS -fno-plt
    CACHE -DCMAKE_CXX_STANDARD=23 -DBY_FETCH_CONTENT=ON)

# As two files and a command line.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
set(two_files ${CMAKE_CURRENT_BINARY_DIR}/builds/two_files)
set(by_hand "main.cpp")
set(libraries_by_hand "")
if(has_tls)
    set(by_hand "tls.cpp")
    set(libraries_by_hand "asyncio_tls.cpp -lssl -lcrypto")
endif()
add_test(NAME builds/two_files COMMAND sh -ec "'${Python3_EXECUTABLE}' tools/amalgamate.py --tls '${two_files}'
sed 's|<asyncio/asyncio.h>|\"asyncio.h\"|; s|<asyncio/tls.h>|\"asyncio_tls.h\"|' tests/package/${by_hand} >'${two_files}/program.cpp'
cd '${two_files}'
'${CMAKE_CXX_COMPILER}' -std=c++20 -O0 -Wall -Wextra -Werror -pthread program.cpp asyncio.cpp ${libraries_by_hand} -o program
./program" WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
set_tests_properties(builds/two_files PROPERTIES LABELS builds TIMEOUT 600)

# Where OpenSSL is missing the tests pass, and say what they leave out.
add_test(NAME builds/without_tls COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/tests/builds/without_tls.sh
    ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/builds/without_tls ${CMAKE_CXX_COMPILER} ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_BINARY_DIR}/builds/strict_parent/asyncio/libasyncio.a $<$<BOOL:${has_io_uring}>:-luring>)
set_tests_properties(builds/without_tls PROPERTIES LABELS builds TIMEOUT 300 FIXTURES_REQUIRED strict_parent)

# The same, each file alone: false alarms and what the linker sees differ.
add_build(platforms strict_parent_by_file OPTIONS ${strict} -O3 CACHE -DEACH_FILE_ALONE=ON)
add_build(platforms one_definition OPTIONS -O1 -flto=auto -Werror=odr -Werror=lto-type-mismatch
    CACHE -DEACH_FILE_ALONE=ON -DCMAKE_EXE_LINKER_FLAGS=-flto=auto\ -O1\ -Werror=odr\ -Werror=lto-type-mismatch)
add_build(platforms hidden_symbols_clang COMPILER clang++-19 OPTIONS -fvisibility=hidden -fvisibility-inlines-hidden
    CACHE -DBUILD_SHARED_LIBS=ON -DEACH_FILE_ALONE=ON)
add_build(platforms cxx26 COMPILER clang++-19 OPTIONS ${strict} -O2 CACHE -DCMAKE_CXX_STANDARD=26)

# Clean in valgrind's eyes, too: nothing is "possibly lost" in the pool of frames.
find_program(VALGRIND_PROGRAM valgrind)
mark_as_advanced(VALGRIND_PROGRAM)
if(VALGRIND_PROGRAM)
    add_test(NAME platforms/valgrind COMMAND ${VALGRIND_PROGRAM} --error-exitcode=1 --leak-check=full
        --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible
        ${CMAKE_CURRENT_BINARY_DIR}/builds/strict_parent/program)
    set_tests_properties(platforms/valgrind PROPERTIES LABELS platforms TIMEOUT 300 FIXTURES_REQUIRED strict_parent)
endif()

# Older than what is tested on every change.
add_build(platforms clang16 COMPILER clang++-16 OPTIONS ${strict} -O2)

# Other machines: one whose pointers have 32 bits, one whose high bytes come first, one that reorders what is written.
foreach(machine "builds;armhf;arm-linux-gnueabihf;qemu-arm" "builds;s390x;s390x-linux-gnu;qemu-s390x"
        "platforms;aarch64;aarch64-linux-gnu;qemu-aarch64")
    list(POP_FRONT machine label name triplet emulator)
    add_build(${label} ${name} COMPILER ${triplet}-g++ OPTIONS ${strict} -Wno-psabi RUN_BY ${emulator} -L /usr/${triplet}
        CACHE -DCMAKE_SYSTEM_NAME=Linux -DASYNCIO_IO_URING=OFF -DASYNCIO_TLS=OFF)
endforeach()

# Not only a program there, but a chosen set of the tests.
set(googletest /usr/src/googletest/googletest)   # of Debian's package googletest
if(EXISTS ${googletest}/src/gtest-all.cc)
    add_build(platforms libcxx_tests SOURCE tests/elsewhere COMPILER clang++-19 OPTIONS -stdlib=libc++ -fexperimental-library
        CACHE -DGOOGLETEST=${googletest} -DCMAKE_EXE_LINKER_FLAGS=-stdlib=libc++)
    foreach(machine "aarch64;aarch64-linux-gnu;qemu-aarch64" "armhf;arm-linux-gnueabihf;qemu-arm")
        list(POP_FRONT machine name triplet emulator)
        add_build(platforms ${name}_tests SOURCE tests/elsewhere COMPILER ${triplet}-g++ OPTIONS -Wno-psabi
            RUN_BY ${emulator} -L /usr/${triplet}
            CACHE -DGOOGLETEST=${googletest} -DCMAKE_SYSTEM_NAME=Linux -DASYNCIO_IO_URING=OFF -DASYNCIO_TLS=OFF)
    endforeach()
else()
    message(STATUS "no ${googletest} (Debian: googletest): the tests are not run on other machines")
endif()
