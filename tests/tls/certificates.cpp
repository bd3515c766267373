#include "tls/certificates.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace support {
namespace {

/// A folder in which the `openssl` command works; it goes with all that is in it.
class Workshop {
public:
    Workshop() {
        char name[] = "/tmp/asyncio-openssl-XXXXXX";
        if (::mkdtemp(name) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        folder_ = name;
    }
    ~Workshop() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
    std::string read(const std::string& name) const {
        std::ifstream file(path(name));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// Runs it there, with arguments in which there is no space, and gives what it prints.
    std::string openssl(const std::string& arguments) const;

private:
    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    std::string folder_;
};

std::string Workshop::openssl(const std::string& arguments) const {
    std::istringstream command("openssl " + arguments);
    std::vector<std::string> strings(std::istream_iterator<std::string>(command), {});
    std::vector<char*> words;
    for (std::string& word : strings) words.push_back(word.data());
    words.push_back(nullptr);
    std::string printed = path("printed"), complaints = path("complaints");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, printed.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_addopen(&actions, 2, complaints.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder_.c_str());
    pid_t child = -1;
    int error = ::posix_spawnp(&child, "openssl", &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) throw std::runtime_error("these tests need the openssl program: Debian's package openssl");
    if (error != 0) throw std::system_error(error, std::generic_category(), "openssl");
    int status = -1;
    while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    if (status != 0) {
        throw std::runtime_error("openssl " + arguments + " ends with " + std::to_string(status) + ":\n" +
                                 read("complaints"));
    }
    return read("printed");
}

/// As `openssl ca` wants it.
std::string seconds_from_now(long seconds) {
    std::time_t when = std::time(nullptr) + seconds;
    std::tm parts = {};
    ::gmtime_r(&when, &parts);
    char text[sizeof "20380119031407Z"];
    std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts);
    return text;
}

/// For `openssl req` and `openssl ca`: `req` can sign, too, but not for a part of a day, nor for days that are over.
constexpr const char* settings = R"([req]
prompt = no
utf8 = yes
distinguished_name = subject
[ca]
default_ca = tests
[tests]
database = index
serial = serial
crlnumber = crlnumber
new_certs_dir = .
default_md = SHA256
policy = names
x509_extensions = of_certificate
crl_extensions = of_list
[names]
commonName = supplied
[of_list]
authorityKeyIdentifier = keyid:always
[of_certificate]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
)";

std::string settings_for(const Wish& wish) {
    std::string text = settings;
    text += wish.is_authority ? "basicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n"
                              : "basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\n";
    if (!wish.alt_names.empty() && !wish.is_authority) text += "subjectAltName = " + wish.alt_names + "\n";
    return text + "[subject]\nCN = " + wish.name + "\n";
}

/// Writes down what `openssl ca` wants of whoever signs.
void open_books(const Workshop& workshop, const Wish& wish) {
    static std::atomic<int> serial = 1000;
    workshop.write("settings", settings_for(wish));
    workshop.write("index", "");
    workshop.write("serial", std::to_string(++serial) + "\n");  // an even number of digits
    workshop.write("crlnumber", "01\n");
}

/// And who signs: what `openssl ca` has to be told of that.
std::string let_in(const Workshop& workshop, const Certified& issuer) {
    workshop.write("issuer.pem", issuer.certificate);
    workshop.write("issuer.key", issuer.key);
    return " -cert issuer.pem -keyfile issuer.key";
}

}  // namespace

Certified certify(const Wish& wish, const Certified* issuer) {
    Workshop workshop;
    open_books(workshop, wish);
    std::string kind = wish.key_type == "EC" ? "ec -pkeyopt ec_paramgen_curve:P-256" : "rsa:1024";
    workshop.openssl("req -new -config settings -nodes -out request.pem -keyout key.pem -newkey " + kind);

    std::string signing = "ca -batch -notext -config settings -in request.pem -out made.pem -md " + wish.hash +
                          " -startdate " + seconds_from_now(wish.from) + " -enddate " + seconds_from_now(wish.until);
    std::string signer = " -selfsign -keyfile key.pem";
    if (issuer != nullptr) signer = let_in(workshop, *issuer);
    workshop.openssl(signing + signer);
    Certified made = {.certificate = workshop.read("made.pem"), .key = workshop.read("key.pem")};

    if (!wish.password.empty()) {
        workshop.write("password", wish.password + "\n");
        made.key = workshop.openssl("pkey -in key.pem -aes-128-cbc -passout file:password");
    }
    return made;
}

const Certified& authority() {
    static const Certified made = certify({.name = "asyncio tests", .is_authority = true});
    return made;
}

const Certified& localhost() {
    static const Certified made = certify({}, &authority());
    return made;
}

std::string revocation_list(const Certified* revoked) {
    Workshop workshop;
    open_books(workshop, {});
    std::string signer = let_in(workshop, authority());
    if (revoked != nullptr) {
        workshop.write("revoked.pem", revoked->certificate);
        workshop.openssl("ca -config settings -revoke revoked.pem" + signer);
    }
    std::string times = " -crl_lastupdate " + seconds_from_now(-3600) + " -crl_nextupdate " + seconds_from_now(86400);
    return workshop.openssl("ca -config settings -gencrl" + times + signer);
}

std::string name_in_folder(const Certified& authority) {
    Workshop workshop;
    workshop.write("made.pem", authority.certificate);
    std::string hash = workshop.openssl("x509 -in made.pem -noout -subject_hash");
    return hash.substr(0, hash.find('\n')) + ".0";
}

}  // namespace support
