#!/usr/bin/python3
"""Exported models: valid ONNX whose nodes, followed here in NumPy, give what predict gives."""
import csv

import numpy
import onnx
from onnx import numpy_helper

import program

USAGE = 2


def softmax(x, axis):
    e = numpy.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# The operators of the models, from their description in ONNX: attributes, then inputs.
OPERATORS = {
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Add": lambda a, x, y: x + y,
    "MatMul": lambda a, x, y: x @ y,
    "Gemm": lambda a, x, w, b: x @ (w.T if a["transB"] else w) + b,
    "BatchNormalization": lambda a, x, gamma, beta, mean, variance:
        gamma * (x - mean) / numpy.sqrt(variance + a["epsilon"]) + beta,
    "Relu": lambda a, x: numpy.maximum(x, 0),
    "Sigmoid": lambda a, x: 1 / (1 + numpy.exp(-x)),
    "Tanh": lambda a, x: numpy.tanh(x),
    "Identity": lambda a, x: x,
    "Softmax": lambda a, x: softmax(x, a["axis"]),
    "ArgMax": lambda a, x: x.argmax(a["axis"]),
}


def forward(model, x):
    """Class and probability for the rows of x."""
    value = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    value["x"] = x.astype(numpy.float32)
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        value[node.output[0]] = OPERATORS[node.op_type](attributes, *(value[name] for name in node.input))
    return value["class"], value["probability"]


class Export(program.ProgramTest):
    def model(self, checkpoint, np):
        self.run_program("export", checkpoint, "--out", "model.onnx", np=np)
        model = onnx.load(self.path("model.onnx"))
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
        return model

    def predicted(self, inputs, checkpoint):
        out, _ = self.run_program("predict", checkpoint, inputs)
        rows = list(csv.reader(out.splitlines()))
        return [row[0] for row in rows[1:]], numpy.array([row[1:] for row in rows[1:]], dtype=float)

    def train_on_file(self, out, *arguments):
        """Train on a CSV file; its samples without labels are in new.csv, and returned."""
        rng = numpy.random.default_rng(2)
        x = rng.normal(2, 3, (60, 3))
        quoted = '"down, or level"'
        self.write("train.csv", "a,b,c,kind\n" + "".join(
            f"{u:.6g},{v:.6g},{w:.6g},{'up' if u + v > w else quoted}\n" for u, v, w in x))
        self.train("--data.name", "file", "--data.train", "train.csv", "--epochs", 2, "--batch", 20, *arguments, out=out)
        self.write("new.csv", "".join(f"{u:.6g},{v:.6g},{w:.6g}\n" for u, v, w in x))
        return numpy.loadtxt(self.path("new.csv"), delimiter=",")

    def test_methods_and_layers(self):
        for k, arguments in enumerate([
            [],
            ["--preprocess", "zca", "--method", "dtp", "--activation", "tanh"],
            ["--preprocess", "none", "--method", "adam", "--activation", "sigmoid", "--batch_norm", "yes"],
            ["--preprocess", "scale", "--method", "sgd", "--batch_norm", "yes", "--residual", "yes",
             "--network", "3,3,7,7"],
            ["--preprocess", "centre", "--method", "dfa", "--loss", "mse"],
            ["--average", "2", "--network", "9"],
        ]):
            with self.subTest(arguments):
                x = self.train_on_file(f"{k}", "--network", "6,5", *arguments)
                self.compare_run(x, f"{k}/checkpoint.h5")

    def compare_run(self, x, checkpoint):
        model = self.model(checkpoint, np=2 if checkpoint.startswith("1") else 1)
        number, p = forward(model, x)
        names, probability = self.predicted("new.csv", checkpoint)
        numpy.testing.assert_allclose(p, probability, rtol=1e-3, atol=1e-5)
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        classes = metadata["class_names"].split("\n")
        self.assertEqual([classes[k] for k in number], names)
        self.assertEqual(classes, ["down, or level", "up"])
        self.assertIn("column 0 b\n", metadata["schema"])

    def test_refused(self):
        self.train("--method", "mgbdt", "--epochs", 1, "--network", 4, "--trees.rounds", 1)
        self.refused("export", "run/checkpoint.h5", "--out", "m.onnx", code=USAGE, says=["mgbdt"], np=2)
        self.refused("export", "run/checkpoint.h5", code=USAGE, says=["--out"])
        self.refused("export", "none.h5", "--out", "m.onnx", code=4, says=["none.h5"])


if __name__ == "__main__":
    program.main()
