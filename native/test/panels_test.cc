// See panels_test.h: the same inputs through both layouts give the same bits, pads are zero where kernels.def says so,
// and the fused updates are the gradient followed by the update. Not here: exactness (kernels_test.cc).
#include "panels_test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "../kernels/dispatch.h"
#include "../kernels/signature.h"
#include "check.h"
#include "random_inputs.h"

namespace anneal::test {
namespace {

using Floats = std::vector<float>;

size_t padded(int64_t n) { return static_cast<size_t>((n + kPanelWidth - 1) / kPanelWidth * kPanelWidth); }

// One shape on one instruction set.
class Shape {
 public:
  Shape(const char* isa, const KernelFn* kernels, int64_t m, int64_t k, int64_t n, uint64_t seed)
      : isa_(isa), kernels_(kernels), m_(m), k_(k), n_(n), seed_(seed), rng_(seed) {}

  int64_t passed = 0, failed = 0;

  void check() {
    const Floats x = random(m_ * k_), w = random(n_ * k_), b = random(n_), dy = random(m_ * n_);
    forward(x, w, b);
    input_gradient(dy, w, x);
    weight_gradient(dy, x);
    sgd(dy, x, w, b);
    adam(dy, x, w, b);
    classify(dy);
    gather(x);
    lanes(x, w, b);
    narrow_gradients(dy, x, w);
    narrow_updates(dy, x, w, b);
    lanes_classify(dy);
  }

 private:
  void call(const char* name, const std::vector<const void*>& buffers, std::initializer_list<int64_t> dims,
            std::initializer_list<double> scalars = {}, int32_t parts = 1) {
    Call c{};
    c.parts = parts;
    int i = 0;
    for (const void* buffer : buffers) c.buffer[i++] = const_cast<void*>(buffer);
    i = 0;
    for (const int64_t dim : dims) c.dim[i++] = dim;
    i = 0;
    for (const double scalar : scalars) c.scalar[i++] = scalar;
    for (c.part = 0; c.part < parts; ++c.part) kernels_[kernel_id(name)](c);
  }

  Floats random(int64_t count) {
    Floats v(static_cast<size_t>(count));
    for (float& f : v) f = random_float(rng_, Texture::special);
    return v;
  }

  // [m,f] as panels, with zero pads; filled with NaN before.
  Floats panels(const Floats& x, int64_t m, int64_t f) {
    Floats y(static_cast<size_t>(m) * padded(f), NAN);
    call("pack_panels", {x.data(), y.data()}, {m, f});
    return y;
  }

  Floats weight_panels(const Floats& w) {
    Floats y(static_cast<size_t>(k_) * padded(n_), NAN);
    call("pack_weight_panels", {w.data(), y.data()}, {n_, k_});
    return y;
  }

  Floats rows(const Floats& x, int64_t m, int64_t f) {
    Floats y(static_cast<size_t>(m * f));
    call("unpack_panels", {x.data(), y.data()}, {m, f});
    return y;
  }

  Floats weight_rows(const Floats& x) {
    Floats w(static_cast<size_t>(n_ * k_));
    call("unpack_weight_panels", {x.data(), w.data()}, {n_, k_});
    return w;
  }

  void expect(bool right, const char* what) {
    ++(right ? passed : failed);
    if (!right) {
      printf("FAILED panels, %s: %s differs at m,k,n = %" PRId64 ",%" PRId64 ",%" PRId64 " (seed %" PRIu64 ")\n", isa_,
             what, m_, k_, n_, seed_);
    }
  }

  void same(const Floats& got, const Floats& want, const char* what) {
    bool right = got.size() == want.size();
    for (size_t i = 0; right && i < got.size(); ++i) {
      right = memcmp(&got[i], &want[i], 4) == 0 || (got[i] != got[i] && want[i] != want[i]);
    }
    expect(right, what);
  }

  void forward(const Floats& x, const Floats& w, const Floats& b) {
    const Floats xp = panels(x, m_, k_), wp = weight_panels(w), bp = panels(b, 1, n_);
    Floats y(static_cast<size_t>(m_ * n_)), yp(static_cast<size_t>(m_) * padded(n_));
    same(rows(xp, m_, k_), x, "pack and unpack");
    same(weight_rows(wp), w, "pack_weight and unpack_weight");
    call("linear_fwd", {x.data(), w.data(), b.data(), y.data()}, {m_, k_, n_});
    call("linear_panel_fwd", {xp.data(), wp.data(), bp.data(), yp.data()}, {m_, k_, n_}, {0});
    same(rows(yp, m_, n_), y, "linear_panel_fwd");
    call("linear_relu_fwd", {x.data(), w.data(), nullptr, y.data()}, {m_, k_, n_});
    call("linear_panel_fwd", {xp.data(), wp.data(), nullptr, yp.data()}, {m_, k_, n_}, {1});
    same(rows(yp, m_, n_), y, "linear_panel_fwd with relu");
  }

  void input_gradient(const Floats& dy, const Floats& w, const Floats& a) {
    const Floats dyp = panels(dy, m_, n_), wp = weight_panels(w), ap = panels(a, m_, k_);
    Floats dx(static_cast<size_t>(m_ * k_)), dxp(static_cast<size_t>(m_) * padded(k_));
    for (const bool masked : {false, true}) {
      call("linear_input_bwd", {dy.data(), w.data(), masked ? a.data() : nullptr, dx.data()}, {m_, k_, n_});
      for (const int32_t parts : {1, 3}) {
        call("linear_panel_input_bwd", {dyp.data(), wp.data(), masked ? ap.data() : nullptr, dxp.data()}, {m_, k_, n_},
             {}, parts);
        same(rows(dxp, m_, k_), dx, "linear_panel_input_bwd");
      }
    }
  }

  void weight_gradient(const Floats& dy, const Floats& x) {
    const Floats dyp = panels(dy, m_, n_), xp = panels(x, m_, k_);
    Floats dw(static_cast<size_t>(n_ * k_)), db(static_cast<size_t>(n_));
    Floats dwp(static_cast<size_t>(k_) * padded(n_)), dbp(padded(n_));
    call("linear_weight_bwd", {dy.data(), x.data(), dw.data(), db.data()}, {m_, k_, n_});
    call("linear_panel_weight_bwd", {dyp.data(), xp.data(), dwp.data(), dbp.data()}, {m_, k_, n_});
    same(weight_rows(dwp), dw, "linear_panel_weight_bwd");
    same(rows(dbp, 1, n_), db, "linear_panel_weight_bwd's bias");
  }

  // The gradient and then the update in rows, against both at once in panels.
  void sgd(const Floats& dy, const Floats& x, Floats w, Floats b) {
    const double row[] = {0.1,
                          rng_.chance(50) ? 0.9 : 0,
                          0.25,
                          rng_.chance(50) ? 0.01 : 0,
                          1.0 * rng_.chance(50),
                          1.0 * rng_.chance(20),
                          1.0 * rng_.chance(30)};
    const double row_b[] = {0.2, 0.8, 0, 0, 0, 0, 0};
    Floats mw = random(n_ * k_), mb = random(n_), dw(w.size()), db(b.size());
    const Floats dyp = panels(dy, m_, n_), xp = panels(x, m_, k_);
    Floats wp = weight_panels(w), mwp = weight_panels(mw), bp = panels(b, 1, n_), mbp = panels(mb, 1, n_);
    call("linear_weight_bwd", {dy.data(), x.data(), dw.data(), db.data()}, {m_, k_, n_});
    call("sgd_update", {w.data(), dw.data(), mw.data(), row}, {n_ * k_});
    call("sgd_update", {b.data(), db.data(), mb.data(), row_b}, {n_});
    call("linear_panel_weight_bwd_sgd_update",
         {dyp.data(), xp.data(), wp.data(), mwp.data(), bp.data(), mbp.data(), row, row_b}, {m_, k_, n_});
    same(weight_rows(wp), w, "linear_panel_weight_bwd_sgd_update's weight");
    same(weight_rows(mwp), mw, "linear_panel_weight_bwd_sgd_update's momentum");
    same(rows(bp, 1, n_), b, "linear_panel_weight_bwd_sgd_update's bias");
    same(rows(mbp, 1, n_), mb, "linear_panel_weight_bwd_sgd_update's bias momentum");
  }

  void adam(const Floats& dy, const Floats& x, Floats w, Floats b) {
    const double row[] = {
        0.01, 0.9, 0.999, 1e-8, rng_.chance(50) ? 0.01 : 0, rng_.chance(50) ? 0.001 : 0, 0.5, 1.0 * rng_.chance(20), 0};
    const double row_b[] = {0.02, 0.8, 0.99, 1e-6, 0, 0, 0.25, 0, 0};
    Floats mw = random(n_ * k_), mb = random(n_), vw = random(n_ * k_), vb = random(n_), dw(w.size()), db(b.size());
    const Floats dyp = panels(dy, m_, n_), xp = panels(x, m_, k_);
    Floats wp = weight_panels(w), mwp = weight_panels(mw), vwp = weight_panels(vw);
    Floats bp = panels(b, 1, n_), mbp = panels(mb, 1, n_), vbp = panels(vb, 1, n_);
    call("linear_weight_bwd", {dy.data(), x.data(), dw.data(), db.data()}, {m_, k_, n_});
    call("adam_update", {w.data(), dw.data(), mw.data(), vw.data(), nullptr, row}, {n_ * k_});
    call("adam_update", {b.data(), db.data(), mb.data(), vb.data(), nullptr, row_b}, {n_});
    call("linear_panel_weight_bwd_adam_update",
         {dyp.data(), xp.data(), wp.data(), mwp.data(), vwp.data(), bp.data(), mbp.data(), vbp.data(), row, row_b},
         {m_, k_, n_});
    same(weight_rows(wp), w, "linear_panel_weight_bwd_adam_update's weight");
    same(weight_rows(mwp), mw, "linear_panel_weight_bwd_adam_update's first moment");
    same(weight_rows(vwp), vw, "linear_panel_weight_bwd_adam_update's second moment");
    same(rows(bp, 1, n_), b, "linear_panel_weight_bwd_adam_update's bias");
  }

  void classify(const Floats& logits) {
    std::vector<int32_t> labels(static_cast<size_t>(m_));
    const bool clean = rng_.chance(50) && n_ > 0;
    for (int32_t& label : labels) label = clean ? static_cast<int32_t>(rng_.below(n_)) : random_label(rng_, n_);
    const Floats weight = panels(random(n_), 1, n_), packed = panels(logits, m_, n_);
    const float* weights = rng_.chance(50) ? weight.data() : nullptr;
    const double reduction = static_cast<double>(rng_.below(3)), smoothing = rng_.chance(50) ? 0.1 : 0;
    Floats losses(labels.size()), loss(1), d(logits.size()), losses_p(labels.size()), loss_p(1), dp(packed.size(), NAN);
    int32_t count[3];
    call("softmax_xent_fwd_bwd", {logits.data(), labels.data(), weights, losses.data(), loss.data(), d.data()},
         {m_, n_}, {reduction, -100, smoothing});
    call("softmax_xent_panel_fwd_bwd",
         {packed.data(), labels.data(), weights, losses_p.data(), loss_p.data(), dp.data(), count + 2}, {m_, n_},
         {reduction, -100, smoothing});
    call("count_correct", {logits.data(), labels.data(), count}, {m_, n_});
    call("count_correct_panel", {packed.data(), labels.data(), count + 1}, {m_, n_});
    same(losses_p, losses, "softmax_xent_panel_fwd_bwd's rows");
    same(loss_p, loss, "softmax_xent_panel_fwd_bwd's loss");
    same(dp, panels(d, m_, n_), "softmax_xent_panel_fwd_bwd's gradient or its pads");
    expect(count[0] == count[1] && count[0] == count[2], "count_correct_panel or softmax_xent_panel_fwd_bwd's count");
    one_row_each(logits, labels, weights, losses, d, reduction, smoothing);
  }

  // A row on its own gets the bits that it has among others, whatever its place in a group of rows; without reduction,
  // since a mean depends on them all.
  void one_row_each(const Floats& logits, const std::vector<int32_t>& labels, const float* weights,
                    const Floats& losses, const Floats& d, double reduction, double smoothing) {
    if (reduction == 1) return;
    Floats alone(labels.size()), d_alone(d.size()), loss(1);
    for (int64_t r = 0; r < m_; ++r) {
      call("softmax_xent_fwd_bwd",
           {logits.data() + r * n_, labels.data() + r, weights, alone.data() + r, loss.data(), d_alone.data() + r * n_},
           {1, n_}, {0, -100, smoothing});
    }
    same(alone, losses, "a single row's loss");
    same(d_alone, d, "a single row's gradient");
  }

  // With samples as lanes: activations [m^,f] in the layout of weights, weights [n,k^] in that of activations.
  Floats in_lanes(const Floats& x, int64_t m, int64_t f) {
    Floats y(padded(m) * static_cast<size_t>(f), NAN);
    call("pack_weight_panels", {x.data(), y.data()}, {m, f});
    return y;
  }

  Floats lane_rows(const Floats& x, int64_t m, int64_t f) {
    Floats y(static_cast<size_t>(m * f));
    call("unpack_weight_panels", {x.data(), y.data()}, {m, f});
    return y;
  }

  void lanes(const Floats& x, const Floats& w, const Floats& b) {
    const Floats xt = in_lanes(x, m_, k_), xp = panels(x, m_, k_);
    Floats y(static_cast<size_t>(m_ * n_)), yt(padded(m_) * static_cast<size_t>(n_)), xp_again(xp.size(), NAN),
        xt_again(xt.size(), NAN);
    call("transpose_panels", {xt.data(), xp_again.data()}, {m_, k_});
    same(rows(xp_again, m_, k_), x, "transpose_panels");
    call("transpose_panels", {xp.data(), xt_again.data()}, {k_, m_});
    same(lane_rows(xt_again, m_, k_), x, "transpose_panels back");
    for (const double relu : {0.0, 1.0}) {
      call(relu == 0 ? "linear_fwd" : "linear_relu_fwd", {x.data(), w.data(), b.data(), y.data()}, {m_, k_, n_});
      call("linear_narrowing_fwd", {xt.data(), panels(w, n_, k_).data(), b.data(), yt.data()}, {m_, k_, n_}, {relu});
      same(lane_rows(yt, m_, n_), y, "linear_narrowing_fwd");
      call("linear_widening_fwd", {xt.data(), weight_panels(w).data(), b.data(), yt.data()}, {m_, k_, n_}, {relu});
      same(lane_rows(yt, m_, n_), y, "linear_widening_fwd");
    }
  }

  void narrow_gradients(const Floats& dy, const Floats& x, const Floats& w) {
    const Floats dyt = in_lanes(dy, m_, n_), wt = panels(w, n_, k_), xp = panels(x, m_, k_), xt = in_lanes(x, m_, k_),
                 dyp = panels(dy, m_, n_);
    Floats dw(w.size()), db(static_cast<size_t>(n_)), dx(x.size());
    Floats dwp(weight_panels(w).size()), dwt(wt.size()), dbp(padded(n_)), dbt(padded(n_)), dxp(xp.size());
    call("linear_weight_bwd", {dy.data(), x.data(), dw.data(), db.data()}, {m_, k_, n_});
    call("linear_widening_weight_bwd", {dyp.data(), xt.data(), dwp.data(), dbp.data()}, {m_, k_, n_});
    same(weight_rows(dwp), dw, "linear_widening_weight_bwd");
    same(rows(dbp, 1, n_), db, "linear_widening_weight_bwd's bias");
    for (const double relu : {0.0, 1.0}) {
      call("linear_input_bwd", {dy.data(), w.data(), relu != 0 ? x.data() : nullptr, dx.data()}, {m_, k_, n_});
      call("linear_narrowing_bwd", {dyt.data(), xp.data(), dwt.data(), dbt.data(), wt.data(), dxp.data()}, {m_, k_, n_},
           {relu});
      same(rows(dwt, n_, k_), dw, "linear_narrowing_bwd");
      same(rows(dbt, 1, n_), db, "linear_narrowing_bwd's bias");
      same(rows(dxp, m_, k_), dx, "linear_narrowing_bwd's input gradient");
    }
    call("linear_narrowing_bwd", {dyt.data(), xp.data(), dwt.data(), nullptr, nullptr, nullptr}, {m_, k_, n_}, {0});
    same(rows(dwt, n_, k_), dw, "linear_narrowing_bwd on its own");
  }

  // Against the updates on panels, and the input gradient by the weights before them.
  void narrow_updates(const Floats& dy, const Floats& x, const Floats& w, const Floats& b) {
    const double sgd_row[] = {0.1, 0.9, 0.25, 0.01, 0, 0, 1.0 * rng_.chance(30)};
    const double adam_row[] = {0.01, 0.9, 0.999, 1e-8, 0.01, 0, 0.5, 0, 0};
    const Floats mw = random(n_ * k_), mb = random(n_), vw = random(n_ * k_), vb = random(n_);
    Floats dx(x.size()), dxp(static_cast<size_t>(m_) * padded(k_));
    call("linear_input_bwd", {dy.data(), w.data(), x.data(), dx.data()}, {m_, k_, n_});
    for (const bool adam : {false, true}) {
      const double* row = adam ? adam_row : sgd_row;
      const char *widening = adam ? "linear_widening_weight_bwd_adam_update" : "linear_widening_weight_bwd_sgd_update",
                 *narrowing = adam ? "linear_narrowing_bwd_adam_update" : "linear_narrowing_bwd_sgd_update";
      Floats wp = weight_panels(w), mwp = weight_panels(mw), vwp = weight_panels(vw), ww = wp, mww = mwp, vww = vwp;
      Floats wt = panels(w, n_, k_), mwt = panels(mw, n_, k_), vwt = panels(vw, n_, k_);
      Floats bp = panels(b, 1, n_), mbp = panels(mb, 1, n_), vbp = panels(vb, 1, n_), bt = bp, mbt = mbp, vbt = vbp,
             bw = bp, mbw = mbp, vbw = vbp;
      update(adam ? "linear_panel_weight_bwd_adam_update" : "linear_panel_weight_bwd_sgd_update", panels(dy, m_, n_),
             panels(x, m_, k_), {wp, mwp, vwp}, {bp, mbp, vbp}, row);
      update(widening, panels(dy, m_, n_), in_lanes(x, m_, k_), {ww, mww, vww}, {bw, mbw, vbw}, row);
      update(narrowing, in_lanes(dy, m_, n_), panels(x, m_, k_), {wt, mwt, vwt}, {bt, mbt, vbt}, row, &dxp);
      same(weight_rows(ww), weight_rows(wp), widening);
      same(weight_rows(mww), weight_rows(mwp), widening);
      same(weight_rows(vww), weight_rows(vwp), widening);
      same(rows(bw, 1, n_), rows(bp, 1, n_), widening);
      same(rows(vbw, 1, n_), rows(vbp, 1, n_), widening);
      same(rows(wt, n_, k_), weight_rows(wp), narrowing);
      same(rows(mwt, n_, k_), weight_rows(mwp), narrowing);
      same(rows(vwt, n_, k_), weight_rows(vwp), narrowing);
      same(rows(bt, 1, n_), rows(bp, 1, n_), narrowing);
      same(rows(vbt, 1, n_), rows(vbp, 1, n_), narrowing);
      same(rows(dxp, m_, k_), dx, "the input gradient beside an update");
    }
  }

  struct State {
    Floats &p, &first, &second;
  };

  // dx: of the narrowing kernels only.
  void update(const char* kernel, const Floats& dy, const Floats& x, State w, State b, const double* row,
              Floats* dx = nullptr) {
    std::vector<const void*> buffers = {dy.data(), x.data()};
    for (const State& s : {w, b}) {
      buffers.insert(buffers.end(), {s.p.data(), s.first.data()});
      if (strstr(kernel, "adam")) buffers.push_back(s.second.data());
    }
    buffers.insert(buffers.end(), {row, row});
    if (dx) buffers.push_back(dx->data());
    call(kernel, buffers, {m_, k_, n_}, {1});
  }

  void lanes_classify(const Floats& logits) {
    std::vector<int32_t> labels(static_cast<size_t>(m_));
    for (int32_t& label : labels) label = random_label(rng_, n_);
    const Floats weight = random(n_), lanes = in_lanes(logits, m_, n_);
    const float* weights = rng_.chance(50) ? weight.data() : nullptr;
    const double reduction = static_cast<double>(rng_.below(3)), smoothing = rng_.chance(50) ? 0.1 : 0;
    Floats losses(labels.size()), loss(1), d(logits.size()), losses_t(labels.size()), loss_t(1), dt(lanes.size());
    int32_t count[3];
    call("softmax_xent_fwd_bwd", {logits.data(), labels.data(), weights, losses.data(), loss.data(), d.data()},
         {m_, n_}, {reduction, -100, smoothing});
    call("softmax_xent_lanes_fwd_bwd",
         {lanes.data(), labels.data(), weights, losses_t.data(), loss_t.data(), dt.data(), count + 2}, {m_, n_},
         {reduction, -100, smoothing});
    call("count_correct", {logits.data(), labels.data(), count}, {m_, n_});
    call("count_correct_lanes", {lanes.data(), labels.data(), count + 1}, {m_, n_});
    same(losses_t, losses, "softmax_xent_lanes_fwd_bwd's rows");
    same(loss_t, loss, "softmax_xent_lanes_fwd_bwd's loss");
    same(lane_rows(dt, m_, n_), d, "softmax_xent_lanes_fwd_bwd's gradient");
    expect(count[0] == count[1] && count[0] == count[2], "count_correct_lanes or softmax_xent_lanes_fwd_bwd's count");
  }

  void gather(const Floats& data) {
    if (m_ == 0) return;
    std::vector<int32_t> order(static_cast<size_t>(m_) + 3);
    for (int32_t& row : order) row = static_cast<int32_t>(rng_.below(m_));
    const int64_t count = static_cast<int64_t>(order.size());
    Floats x(order.size() * static_cast<size_t>(k_)), xp(order.size() * padded(k_), NAN);
    call("gather_rows", {data.data(), order.data(), x.data()}, {m_, k_, count});
    call("gather_panels", {data.data(), order.data(), xp.data()}, {m_, k_, count});
    same(xp, panels(x, count, k_), "gather_panels or its pads");
    Floats xt(padded(count) * static_cast<size_t>(k_));
    call("gather_lanes", {data.data(), order.data(), xt.data()}, {m_, k_, count});
    same(lane_rows(xt, count, k_), x, "gather_lanes");
    gather_bytes(order);
  }

  void gather_bytes(const std::vector<int32_t>& order) {
    std::vector<uint8_t> data(static_cast<size_t>(m_ * k_));
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(rng_.below(256));
    const int64_t count = static_cast<int64_t>(order.size());
    Floats x(order.size() * static_cast<size_t>(k_)), xp(order.size() * padded(k_), NAN);
    call("gather_rows_bytes", {data.data(), order.data(), x.data()}, {m_, k_, count}, {-0.1});
    call("gather_panels_bytes", {data.data(), order.data(), xp.data()}, {m_, k_, count}, {-0.1});
    same(xp, panels(x, count, k_), "gather_panels_bytes or its pads");
    Floats xt(padded(count) * static_cast<size_t>(k_));
    call("gather_lanes_bytes", {data.data(), order.data(), xt.data()}, {m_, k_, count}, {-0.1});
    same(lane_rows(xt, count, k_), x, "gather_lanes_bytes");
  }

  const char* isa_;
  const KernelFn* kernels_;
  int64_t m_, k_, n_;
  uint64_t seed_;
  Rng rng_;
};

// Every byte and every half, at several scales, against the twins, and of the twins what anybody knows. Rows fill
// panels, since pads of lanes are anything; some end within a word.
class Widening {
 public:
  Widening(const char* isa, const KernelFn* kernels) : isa_(isa), kernels_(kernels) {}

  int64_t passed = 0, failed = 0;

  void check() {
    std::vector<uint8_t> bytes(256);
    std::vector<uint16_t> halves(65536);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
    for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
    for (const double scale : {1.0, 1 / 255.0, -3.0, 1e38, 1e-44}) {
      for (const int64_t k : {8, 16}) each_layout("bytes", bytes.data(), 256 / k, k, scale);
      for (const int64_t k : {8, 256}) each_layout("halves", halves.data(), 65536 / k, k, scale);
    }
    const uint16_t known[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00};
    const Floats value = {1, -2, 65504, 0x1p-24f, -0.0f, INFINITY, -INFINITY};
    expect(same(gathered(reference_kernels(), "gather_rows_halves", known, 7, 1, 1), value), "known halves");
  }

 private:
  void expect(bool right, const char* what) {
    ++(right ? passed : failed);
    if (!right) printf("FAILED panels, %s: %s are widened otherwise\n", isa_, what);
  }

  static bool same(const Floats& a, const Floats& b) {
    bool equal = a.size() == b.size();
    for (size_t i = 0; equal && i < a.size(); ++i) equal = same_bits(a[i], b[i]);
    return equal;
  }

  void each_layout(const char* type, const void* data, int64_t rows, int64_t k, double scale) {
    for (const char* layout : {"gather_rows_", "gather_panels_", "gather_lanes_"}) {
      const std::string name = std::string(layout) + type;
      const Floats got = gathered(kernels_, name.c_str(), data, rows, k, scale);
      expect(same(got, gathered(reference_kernels(), name.c_str(), data, rows, k, scale)), name.c_str());
    }
  }

  // All rows in their order.
  static Floats gathered(const KernelFn* kernels, const char* name, const void* data, int64_t rows, int64_t k,
                         double scale) {
    std::vector<int32_t> order(static_cast<size_t>(rows));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
    Call c{{const_cast<void*>(data), order.data()}, {rows, k, rows}, {scale}};
    const KernelInfo& info = kernel_info(kernel_id(name));
    Floats x(static_cast<size_t>(extent(info.buffers[2], c.dim)));
    c.buffer[2] = x.data();
    kernels[info.id](c);
    return x;
  }

  const char* isa_;
  const KernelFn* kernels_;
};

}  // namespace

void check_panels(const char* isa, const KernelFn* kernels, uint64_t seed, int64_t& passed, int64_t& failed) {
  constexpr int64_t shapes[][3] = {{32, 2, 8},     {32, 8, 3},    {64, 64, 32}, {1, 1, 1},    {0, 3, 5},
                                   {5, 0, 3},      {33, 15, 4},   {20, 5, 1},   {3, 5, 0},    {17, 33, 47},
                                   {13, 16, 16},   {29, 31, 10},  {12, 48, 64}, {7, 100, 9},  {2, 17, 40},
                                   {40, 300, 20},  {20, 20, 600}, {300, 9, 24}, {33, 65, 17}, {32, 130, 150},
                                   {48, 128, 270}, {16, 300, 128}};
  for (const auto& [m, k, n] : shapes) {
    for (uint64_t repeat = 0; repeat < 4; ++repeat) {
      Shape shape(isa, kernels, m, k, n, seed + repeat);
      shape.check();
      passed += shape.passed;
      failed += shape.failed;
    }
  }
  Widening widening(isa, kernels);
  widening.check();
  passed += widening.passed;
  failed += widening.failed;
}

}  // namespace anneal::test
