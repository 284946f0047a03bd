# SPDX-License-Identifier: Apache-2.0
# Libraries, all from the distribution (scripts/packages names the Debian packages).

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL QUIET)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Protobuf REQUIRED)
pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)

# The name of the yaml-cpp target changed with 0.8.
if(TARGET yaml-cpp::yaml-cpp)
  set(TANIST_YAML yaml-cpp::yaml-cpp)
else()
  set(TANIST_YAML yaml-cpp)
endif()

find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

if(TANIST_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(tanist_asio INTERFACE)
target_link_libraries(tanist_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(tanist_asio INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE=1)
