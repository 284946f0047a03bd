// SPDX-License-Identifier: Apache-2.0
// The only file that includes gRPC. Threads: the loop's, one that waits for completions, and a
// short-lived one that reads TLS files.
#include "store/etcd3_transport.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "store/etcd3_messages.h"
#include "store/etcd3_tls.h"

namespace tanist::store {

namespace {

constexpr int message_bytes_max = 64 * 1024 * 1024;
constexpr Duration tls_read_interval = seconds(1);

// What the completion queue hands back. Runs on the loop's thread.
using Tag = std::function<void(bool ok)>;

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

wire::RpcError error_of(const grpc::Status& status) {
  return {static_cast<wire::Code>(status.error_code()), status.error_message()};
}

// A distance, which gRPC adds to its own steady clock.
gpr_timespec in(Duration duration) {
  return gpr_time_from_nanos(std::max<std::int64_t>(duration.count(), 0), GPR_TIMESPAN);
}

// A member without a leader shall say so instead of letting us wait (trap 155). Who its members
// are it may tell without one.
bool demands_leader(const wire::Request& request) {
  return !std::holds_alternative<wire::MemberListRequest>(request) &&
         !std::holds_alternative<wire::StatusRequest>(request);
}

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);  // in truth the time to connect
  // etcd closes connections that ping more often than every 5 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // no write is repeated blindly (trap 156)
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // none with old certificates
  arguments.SetMaxReceiveMessageSize(message_bytes_max);
  return arguments;
}

void log_of_grpc(gpr_log_func_args* arguments) { log_debug("grpc: {}", arguments->message); }

// One request and its one answer. LeaseKeepAlive is a stream in etcd's API; with one message each
// way and then the end, it looks the same on the wire.
struct UnaryCall {
  RpcId id;
  std::string endpoint;
  wire::Request request;
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  Tag done;
  bool wanted = true;
};

struct WatchStream {
  RpcId id;
  std::string endpoint;
  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  grpc::ByteBuffer incoming;
  grpc::Status status;
  std::string create;
  bool reading = false;
  bool writing = false;
  bool asks_progress = false;
  bool over = false;  // no more reads; Finish is under way or done
  bool wanted = true;
  Tag started;
  Tag read;
  Tag wrote;
  Tag finished;
};

// The way to one endpoint. A connection that stands outlives the certificate it was opened with.
struct Way {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::GenericStub> stub;
  std::uint64_t tls_version = 0;

  bool stands() const { return channel->GetState(false) == GRPC_CHANNEL_READY; }
};

}  // namespace

class Etcd3Transport::Impl {
 public:
  Impl(StoreSettings settings, boost::asio::any_io_executor loop, OnInput on_input)
      : settings_(std::move(settings)), loop_(std::move(loop)), on_input_(std::move(on_input)) {
    gpr_set_log_function(log_of_grpc);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    if (settings_.use_tls) tls_ = read_tls_files(settings_);
    thread_ = std::thread([this, alive = std::weak_ptr(alive_)] { move_completions(alive); });
    pthread_setname_np(thread_.native_handle(), "store");
  }

  ~Impl() {
    alive_.reset();
    for (auto& [call, owner] : calls_) call->context.TryCancel();
    for (auto& [stream, owner] : streams_) stream->context.TryCancel();
    queue_.Shutdown();
    thread_.join();
    if (tls_reader_.joinable()) tls_reader_.join();
  }

  // ---- unary calls ----
  void send(const SendRpc& rpc, Instant now) {
    if (std::exchange(connection_failed_, false)) read_tls_again(now);
    auto* stub = stub_of(rpc.endpoint, now);
    if (stub == nullptr) {
      const wire::RpcError error{wire::Code::unavailable, tls_.error().message};
      return answer_later(RpcAnswered{rpc.id, tl::unexpected(error)});
    }
    auto owner = std::make_unique<UnaryCall>();
    auto* call = owner.get();
    calls_.emplace(call, std::move(owner));
    call->id = rpc.id;
    call->endpoint = rpc.endpoint;
    call->request = rpc.request;
    call->context.set_deadline(in(rpc.deadline - now));
    add_metadata(call->context, rpc.token, demands_leader(rpc.request));
    call->done = [this, call](bool) { answered(call); };
    call->reader = stub->PrepareUnaryCall(&call->context, method_of(rpc.request),
                                          buffer_of(encode(rpc.request)), &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->answer, &call->status, &call->done);
  }

  void cancel(RpcId id) {
    for (auto& [call, owner] : calls_) {
      if (call->id != id || !call->wanted) continue;
      call->wanted = false;
      call->context.TryCancel();
    }
    std::erase(unsent_, id);
  }

  // ---- watches ----
  void open(const OpenWatch& watch, Instant now) {
    auto* stub = stub_of(watch.endpoint, now);
    if (stub == nullptr) {
      const wire::RpcError error{wire::Code::unavailable, tls_.error().message};
      return answer_later(WatchEnded{watch.stream, error});
    }
    auto owner = std::make_unique<WatchStream>();
    auto* stream = owner.get();
    streams_.emplace(stream, std::move(owner));
    stream->id = watch.stream;
    stream->endpoint = watch.endpoint;
    stream->create = encode_watch(watch.request);
    add_metadata(stream->context, watch.token, true);
    stream->started = [this, stream](bool ok) { started(stream, ok); };
    stream->read = [this, stream](bool ok) { read(stream, ok); };
    stream->wrote = [this, stream](bool) { wrote(stream); };
    stream->finished = [this, stream](bool) { finished(stream); };
    stream->stream = stub->PrepareCall(&stream->context, watch_method, &queue_);
    stream->stream->StartCall(&stream->started);
  }

  void ask_progress(RpcId id) {
    for (auto& [stream, owner] : streams_) {
      if (stream->id != id || stream->over) continue;
      stream->asks_progress = true;
      if (stream->reading) write_progress(stream);
    }
  }

  void close(RpcId id) {
    for (auto& [stream, owner] : streams_) {
      if (stream->id != id) continue;
      stream->wanted = false;
      stream->context.TryCancel();
    }
    std::erase(unsent_, id);
  }

  void use(const std::vector<std::string>& endpoints) {
    std::erase_if(ways_, [&](const auto& entry) {
      return std::ranges::find(endpoints, entry.first) == endpoints.end();
    });
  }

 private:
  void move_completions(const std::weak_ptr<bool>& alive) {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      boost::asio::post(loop_, [alive, tag, ok] {
        if (alive.lock()) (*static_cast<Tag*>(tag))(ok);
      });
    }
  }

  static void add_metadata(grpc::ClientContext& context, const Secret& token, bool leader) {
    if (!token.empty()) context.AddMetadata("token", token.reveal());
    if (leader) context.AddMetadata("hasleader", "true");
  }

  // For what failed before it began: never from inside the call.
  void answer_later(Input input) {
    const auto id = std::holds_alternative<RpcAnswered>(input) ? std::get<RpcAnswered>(input).id
                                                               : std::get<WatchEnded>(input).stream;
    unsent_.push_back(id);
    boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_), id, input]() mutable {
      if (alive.lock() && std::erase(unsent_, id) > 0) on_input_(std::move(input));
    });
  }

  // ---- channels ----
  // Null when the TLS files could not be read.
  grpc::GenericStub* stub_of(const std::string& endpoint, Instant now) {
    if (settings_.use_tls && !tls_) {
      read_tls_again(now);
      return nullptr;
    }
    auto& way = ways_[endpoint];
    if (!way.stub) {
      way.channel = grpc::CreateCustomChannel(endpoint, credentials(), channel_arguments());
      way.stub = std::make_unique<grpc::GenericStub>(way.channel);
      way.tls_version = tls_version_;
    }
    return way.stub.get();
  }

  std::shared_ptr<grpc::ChannelCredentials> credentials() const {
    if (!settings_.use_tls) return grpc::InsecureChannelCredentials();
    return grpc::SslCredentials({tls_->ca, tls_->key, tls_->cert});
  }

  // A way that does not stand is opened anew with the newest files. One that stands stays, whatever
  // the files are now: should they be expired or not fit together, they cost nothing that works.
  void leave_if_outdated(const std::string& endpoint) {
    const auto at = ways_.find(endpoint);
    if (at == ways_.end() || !at->second.channel || at->second.stands()) return;
    if (at->second.tls_version != tls_version_) ways_.erase(at);
  }

  void connection_failed(const std::string& endpoint) {
    connection_failed_ = true;
    leave_if_outdated(endpoint);
  }

  // Certificates are replaced from time to time; the loop's thread waits for no disk.
  void read_tls_again(Instant now) {
    if (!settings_.use_tls || reading_tls_ || now - tls_read_at_ < tls_read_interval) return;
    reading_tls_ = true;
    tls_read_at_ = now;
    if (tls_reader_.joinable()) tls_reader_.join();
    tls_reader_ =
        std::thread([this, alive = std::weak_ptr(alive_), loop = loop_, settings = settings_] {
          boost::asio::post(loop, [this, alive, files = read_tls_files(settings)] {
            if (alive.lock()) use_tls(files);
          });
        });
  }

  void use_tls(const Result<TlsFiles>& files) {
    reading_tls_ = false;
    const bool news = files && (!tls_ || *tls_ != *files);
    if (files || !tls_) tls_ = files;
    if (!news) return;
    ++tls_version_;
    std::erase_if(ways_, [](const auto& entry) { return !entry.second.stands(); });
  }

  // ---- completions ----
  void answered(UnaryCall* call) {
    const auto owner = std::move(calls_.extract(call).mapped());
    if (call->status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      connection_failed(call->endpoint);
    }
    if (!call->wanted) return;
    RpcAnswered input{call->id, {}};
    if (!call->status.ok()) {
      input.result = tl::unexpected(error_of(call->status));
    } else if (auto answer = decode_answer(call->request, bytes_of(call->answer))) {
      input.result = std::move(*answer);
    } else {
      input.result = tl::unexpected(wire::RpcError{wire::Code::internal, answer.error().message});
    }
    on_input_(std::move(input));
  }

  void started(WatchStream* stream, bool ok) {
    if (!ok) return finish(stream);
    stream->reading = stream->writing = true;
    stream->stream->Write(buffer_of(stream->create), &stream->wrote);
    stream->stream->Read(&stream->incoming, &stream->read);
  }

  void write_progress(WatchStream* stream) {
    if (stream->writing || !stream->asks_progress) return;
    stream->asks_progress = false;
    stream->writing = true;
    stream->stream->Write(buffer_of(encode_progress_request()), &stream->wrote);
  }

  void read(WatchStream* stream, bool ok) {
    auto message = ok ? decode_watch(bytes_of(stream->incoming)) : Result<wire::WatchMessage>{};
    if (!ok || !message) {
      stream->reading = false;
      if (ok) stream->context.TryCancel();
      return finish(stream);
    }
    stream->stream->Read(&stream->incoming, &stream->read);
    if (stream->wanted) on_input_(WatchSaid{stream->id, std::move(*message)});
  }

  void wrote(WatchStream* stream) {
    stream->writing = false;
    if (!stream->reading) return finish(stream);
    write_progress(stream);
  }

  // Only when nothing is read or written any more.
  void finish(WatchStream* stream) {
    if (stream->reading || stream->writing || stream->over) return;
    stream->over = true;
    stream->stream->Finish(&stream->status, &stream->finished);
  }

  void finished(WatchStream* stream) {
    const auto owner = std::move(streams_.extract(stream).mapped());
    if (stream->status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      connection_failed(stream->endpoint);
    }
    if (stream->wanted) on_input_(WatchEnded{stream->id, error_of(stream->status)});
  }

  StoreSettings settings_;
  boost::asio::any_io_executor loop_;
  OnInput on_input_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Result<TlsFiles> tls_;
  Instant tls_read_at_;
  bool reading_tls_ = false;
  bool connection_failed_ = false;
  std::thread tls_reader_;
  std::map<std::string, Way> ways_;
  std::uint64_t tls_version_ = 0;  // how often the files were others
  grpc::CompletionQueue queue_;
  std::map<UnaryCall*, std::unique_ptr<UnaryCall>> calls_;
  std::map<WatchStream*, std::unique_ptr<WatchStream>> streams_;
  std::vector<RpcId> unsent_;  // failed before they began; not yet told
  std::thread thread_;
};

Etcd3Transport::Etcd3Transport(StoreSettings settings, boost::asio::any_io_executor loop,
                               OnInput on_input)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(loop), std::move(on_input))) {}
Etcd3Transport::~Etcd3Transport() = default;

void Etcd3Transport::send(const SendRpc& rpc, Instant now) { impl_->send(rpc, now); }
void Etcd3Transport::cancel(RpcId id) { impl_->cancel(id); }
void Etcd3Transport::open(const OpenWatch& watch, Instant now) { impl_->open(watch, now); }
void Etcd3Transport::ask_progress(RpcId stream) { impl_->ask_progress(stream); }
void Etcd3Transport::close(RpcId stream) { impl_->close(stream); }
void Etcd3Transport::use(const std::vector<std::string>& endpoints) { impl_->use(endpoints); }

}  // namespace tanist::store
