# SPDX-License-Identifier: Apache-2.0
"""After ``hub install hub_module``: ``python test.py``. It draws its own label map."""

from __future__ import annotations

import base64
import shutil
import unittest
from pathlib import Path

import cv2
import numpy as np
import paddlehub as hub

from spade_paddle.errors import UserError

LABEL_FILE = Path("gaugan_doodle_test.png")
OUTPUT_FOLDER = Path("gaugan_doodle_test_output")


class TestHubModule(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.label_map = np.full((256, 256), 1, np.uint8)  # sky
        cls.label_map[150:] = 7  # water
        cv2.imwrite(str(LABEL_FILE), cls.label_map)
        cls.module = hub.Module(name="gaugan_doodle")

    @classmethod
    def tearDownClass(cls) -> None:
        LABEL_FILE.unlink()
        shutil.rmtree(OUTPUT_FOLDER, ignore_errors=True)

    def test_paint_array(self) -> None:
        picture = self.module.paint(self.label_map)
        self.assertEqual((picture.shape, picture.dtype), ((256, 256, 3), np.uint8))
        self.assertGreater(picture.std(), 0)

    def test_paint_path(self) -> None:
        picture = self.module.paint(str(LABEL_FILE), seed=3)
        np.testing.assert_array_equal(picture, self.module.paint(self.label_map, seed=3))

    def test_any_size(self) -> None:
        self.assertEqual(self.module.paint(self.label_map[:100, :150]).shape, (100, 150, 3))

    def test_missing_path(self) -> None:
        with self.assertRaises(UserError):
            self.module.paint("no_such_file.png")

    def test_wrong_label_maps(self) -> None:
        wrong = (self.label_map / 2, self.label_map + 100, self.label_map[:8], self.label_map[0])
        for label_map in wrong:
            with self.subTest(label_map.shape), self.assertRaises(UserError):
                self.module.paint(label_map)

    def test_unknown_style(self) -> None:
        with self.assertRaises(UserError):
            self.module.paint(self.label_map, style="no such style")

    def test_run_cmd(self) -> None:
        given = ["--input_path", str(LABEL_FILE), "--output_dir", str(OUTPUT_FOLDER)]
        (path,) = self.module.run_cmd(given).splitlines()
        self.assertEqual(cv2.imread(path).shape, (256, 256, 3))

    def test_serving_method(self) -> None:
        image = base64.b64encode(LABEL_FILE.read_bytes()).decode()
        (result,) = self.module.serving_method(images=[image], format="jpeg")
        data = np.frombuffer(base64.b64decode(result["image"]), np.uint8)
        self.assertEqual(cv2.imdecode(data, cv2.IMREAD_COLOR).shape, (256, 256, 3))


if __name__ == "__main__":
    unittest.main()
