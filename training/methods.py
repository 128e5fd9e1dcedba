"""The methods by name, where each acts and where it comes from; importing this loads no model library."""

from holdfast.training.method import Method, methods

for method in (
    Method("s2r2", "loss", "the worst segment drift under perturbed prompts, and adapter stability (arXiv 2605.01605)"),
    Method("augment", "loss", "the task loss on the perturbed prompt too"),
    Method("consistency", "loss", "token KL between the clean and the perturbed prompt's predictions"),
    Method("rdrop", "loss", "symmetric KL between two dropout passes (Liang et al. 2021)"),
    Method("flat_lora", "weights", "noise of each row's own size around every step (arXiv 2409.14396)"),
    Method("isotropic", "weights", "the control of flat_lora: the same energy, spread evenly"),
    Method("sam_ab", "weights", "sharpness-aware minimisation on the adapter's A and B (Foret et al. 2021)"),
    Method("sam_w", "weights", "sharpness-aware minimisation on the frozen matrices under the adapter"),
    Method("csulora", "adapter", "parts outside of the safety subspace attenuated by energy (arXiv 2605.30640)"),
    Method("safelora", "adapter", "updates that leave the alignment's column space projected onto it (NeurIPS 2024)"),
    Method("shrink", "adapter", "a control of csulora: the same distance, without direction"),
    Method("project", "adapter", "a control of csulora: what lies within the safety subspace, alone"),
    Method("random_subspace", "adapter", "a control of csulora: random directions, as many"),
):
    methods.register(method.name, method)
