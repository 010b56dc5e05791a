"""What others published of tests that are looked at again and again.

akurennoy/yeast, normal.csv at 813ac4c: 100,000 runs of 500 pairs, R's seed 8163; the design is
that of M. Schultzberg and S. Ankargren, "Choosing a Sequential Testing Framework", 2023.
"""

from __future__ import annotations

EFFECTS = (0.0, 0.1, 0.2, 0.3)

# The share of runs that found a difference, at each effect; and the share of samples that an
# end at that moment saves, at the effect 0.2.
PUBLISHED: dict[str, tuple[float, float, float, float, float]] = {
    "YEAST": (0.04659, 0.43881, 0.91807, 0.99847, 0.38822),
    "YEAST, planned for 400": (0.07446, 0.52987, 0.94654, 0.99926, 0.44696),
    "GAVI 250": (0.02405, 0.23716, 0.76471, 0.98729, 0.40147),
    "GAVI 500": (0.01805, 0.22552, 0.76208, 0.98747, 0.36996),
    "GAVI 750": (0.01369, 0.20737, 0.74829, 0.98601, 0.33944),
    "mSPRT 100": (0.01567, 0.21605, 0.75571, 0.98686, 0.35353),
    "mSPRT 25": (0.02695, 0.23547, 0.75688, 0.98619, 0.40926),
    "mSPRT 11": (0.03011, 0.22034, 0.73226, 0.98246, 0.40563),
    "Bonferroni": (0.00273, 0.04422, 0.39787, 0.89557, 0.15277),
    "group sequential, linear, 14 looks": (0.04984, 0.4071, 0.89876, 0.99757, 0.45824),
    "group sequential, linear, 28 looks": (0.04978, 0.40379, 0.89634, 0.99752, 0.46736),
    "group sequential, linear, 42 looks": (0.04989, 0.40307, 0.89561, 0.99748, 0.47063),
    "group sequential, linear, 56 looks": (0.05014, 0.40245, 0.89482, 0.99742, 0.47195),
    "group sequential, cubic, 14 looks": (0.04984, 0.45813, 0.9268, 0.99877, 0.37344),
    "group sequential, cubic, 28 looks": (0.04952, 0.45628, 0.92555, 0.99878, 0.38703),
    "group sequential, cubic, 42 looks": (0.0496, 0.45596, 0.92513, 0.99878, 0.39159),
    "group sequential, cubic, 56 looks": (0.04979, 0.45512, 0.92513, 0.99875, 0.39362),
    "linear, 14 looks of 7 planned": (0.07419, 0.45661, 0.91295, 0.99791, 0.52946),
    "linear, 56 looks of 28 planned": (0.07514, 0.45364, 0.91046, 0.99795, 0.54415),
    "cubic, 14 looks of 7 planned": (0.09458, 0.54643, 0.94601, 0.99923, 0.52015),
    "cubic, 56 looks of 28 planned": (0.09862, 0.5515, 0.94592, 0.99915, 0.54255),
}
