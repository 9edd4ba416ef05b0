"""Python runs this at its start when this folder is on PYTHONPATH. With HNR_DISTURB=N it changes the weights with which
each training starts by up to two millionths, as another processor's rounding would do within a few steps.

A training starts where an optimizer is made. The change depends on N and on the weight alone: equal starts stay equal,
so that tests that two ways of training agree stay true."""
import os
import sys
from functools import wraps
from importlib.machinery import PathFinder


def disturb(params):
    "Multiply every weight by 1 + 2e-6·sin(a large number made of the weight and HNR_DISTURB), in place"
    import torch
    n = int(os.environ['HNR_DISTURB'])
    with torch.no_grad():
        for p in params:
            if p.is_floating_point(): p.mul_((1 + 2e-6*torch.sin(1e6*p.double() + n)).to(p.device))


def params_of(opt):
    "The parameters of an optimizer of PyTorch (`param_groups` of dicts) or of fastai (`all_params`)"
    if hasattr(opt, 'all_params'): return [p for p,*_ in opt.all_params()]
    return [p for g in opt.param_groups for p in g['params']]


def disturbing(init):
    @wraps(init)
    def _init(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if getattr(self, '_disturbed', False): return
        self._disturbed = True
        disturb(params_of(self))
        if seen := os.environ.get('HNR_TRAINED'): open(seen, 'a').close()
    return _init


class Finder(PathFinder):
    "Wraps `Optimizer.__init__` when PyTorch or fastai defines it"
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in ('torch.optim.optimizer', 'fastai.optimizer'): return None
        spec = super().find_spec(name, path, target)
        run = spec.loader.exec_module
        def exec_module(module):
            run(module)
            module.Optimizer.__init__ = disturbing(module.Optimizer.__init__)
        spec.loader.exec_module = exec_module
        return spec


if os.environ.get('HNR_DISTURB'): sys.meta_path.insert(0, Finder)
