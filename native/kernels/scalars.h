// The scalars of the optimizers' updates by name: one list per optimizer, from which come the fields of `scalars` in
// kernels.def and the structs that bodies and twins read them into. Nothing else knows their order. Included by ISA
// units: all in an anonymous namespace. Not here: how a step's numbers follow from its options (src/optim).
#pragma once

// lr, betas, eps, weight_decay, maximize, ... are PyTorch's options; `first` is 1 for the first update of a parameter.
#define SGD_SCALARS(F) F(lr) F(momentum) F(dampening) F(weight_decay) F(nesterov) F(maximize) F(first)
// step_size is lr / bias_correction1, decay AdamW's lr * weight_decay.
#define ADAM_SCALARS(F) \
  F(step_size) F(beta1) F(beta2) F(eps) F(weight_decay) F(decay) F(sqrt_bias_correction2) F(maximize)
// gradient_step: the factor of the gradient itself, step_size that of the running mean.
#define NADAM_SCALARS(F) ADAM_SCALARS(F) F(gradient_step)
// rectified: whether the variance is used; step_size has all factors.
#define RADAM_SCALARS(F) ADAM_SCALARS(F) F(rectified)
// step_size is lr / (1 + (step - 1) * lr_decay).
#define ADAGRAD_SCALARS(F) F(step_size) F(eps) F(weight_decay) F(maximize)
#define ADADELTA_SCALARS(F) F(lr) F(eps) F(rho) F(weight_decay) F(maximize)
#define RMSPROP_SCALARS(F) F(lr) F(eps) F(alpha) F(weight_decay) F(momentum) F(maximize)
// step_size is lr / bias_correction1.
#define ADAMAX_SCALARS(F) F(step_size) F(eps) F(beta1) F(beta2) F(weight_decay) F(maximize)
#define RPROP_SCALARS(F) F(lr) F(eta_minus) F(eta_plus) F(smallest) F(largest) F(maximize) F(first)
// decay is lr * weight_decay.
#define LION_SCALARS(F) F(lr) F(beta1) F(beta2) F(decay) F(maximize)
// decay is lambd * eta, mu the newest point's share in the average.
#define ASGD_SCALARS(F) F(eta) F(decay) F(mu) F(weight_decay) F(maximize)
// share is the newest point's in the average, y_step lr * (beta * (1 - share) - 1).
#define SGD_SCHEDULE_FREE_SCALARS(F) F(lr) F(share) F(y_step) F(weight_decay) F(first)
#define ADAMW_SCHEDULE_FREE_SCALARS(F) F(lr) F(share) F(y_step) F(eps) F(beta2) F(weight_decay) F(first)
// decay is lr * weight_decay; a, b, c are the coefficients of the Newton-Schulz iteration.
#define MUON_SCALARS(F) F(lr) F(decay) F(momentum) F(nesterov) F(eps) F(a) F(b) F(c)

// FIELDS(SGD) is ":d{lr momentum ... }", for a line of kernels.def.
#define ANNEAL_FIELD_NAME(field) #field " "
#define FIELDS(OPTIMIZER) ":d{" OPTIMIZER##_SCALARS(ANNEAL_FIELD_NAME) "}"

// Name::read(scalars) has them as members.
#define ANNEAL_FIELD(field) double field;
#define ANNEAL_READ_FIELD(field) *at++,
#define ANNEAL_SCALARS(Name, OPTIMIZER)                                    \
  struct Name {                                                            \
    OPTIMIZER##_SCALARS(ANNEAL_FIELD) static Name read(const double* at) { \
      return {OPTIMIZER##_SCALARS(ANNEAL_READ_FIELD)};                     \
    }                                                                      \
  };

namespace anneal {
namespace {

ANNEAL_SCALARS(SgdScalars, SGD)
ANNEAL_SCALARS(AdamScalars, ADAM)
ANNEAL_SCALARS(NadamScalars, NADAM)
ANNEAL_SCALARS(RadamScalars, RADAM)
ANNEAL_SCALARS(AdagradScalars, ADAGRAD)
ANNEAL_SCALARS(AdadeltaScalars, ADADELTA)
ANNEAL_SCALARS(RmspropScalars, RMSPROP)
ANNEAL_SCALARS(AdamaxScalars, ADAMAX)
ANNEAL_SCALARS(RpropScalars, RPROP)
ANNEAL_SCALARS(LionScalars, LION)
ANNEAL_SCALARS(AsgdScalars, ASGD)
ANNEAL_SCALARS(SgdScheduleFreeScalars, SGD_SCHEDULE_FREE)
ANNEAL_SCALARS(AdamwScheduleFreeScalars, ADAMW_SCHEDULE_FREE)
ANNEAL_SCALARS(MuonScalars, MUON)

}  // namespace
}  // namespace anneal
