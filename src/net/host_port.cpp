#include <asyncio/net/host_port.h>

#include <utility>

namespace asyncio::detail {

OwnedHosts::OwnedHosts() noexcept = default;
OwnedHosts::OwnedHosts(Host host) { add(host); }
OwnedHosts::OwnedHosts(OwnedHosts&& other) noexcept = default;
OwnedHosts::~OwnedHosts() = default;

void OwnedHosts::add(Host host) { all_.emplace_back(host); }

std::vector<OwnedHost> OwnedHosts::take() noexcept { return std::move(all_); }

}  // namespace asyncio::detail
