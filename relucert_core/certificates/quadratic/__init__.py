"""The certificate `quadratic`: the first layer's ReLUs kept curved, the ball by its multiplier; norm 2, any depth.

Notation: the ball is ||d||_2 <= r around the point u, and s_j = w_j . d is how far the pre-activation a_j = A_j + s_j
of neuron j of the first layer strays from its value A_j at u. What is bounded from above is a sum

    F(d) = sum over j of c_j (relu(A_j + s_j) - relu(A_j)).

A pre-activation of the second layer is such a sum plus its value at u. Deeper ones, and the margins, are brought down
to such a sum by CROWN's lines around the ReLUs of the layers between (`lines`).

1. *Parabolas* (`parabolas`). For t > 0, relu(a) <= (a + t)^2 / 4t: the difference is (a - t)^2 / 4t where a >= 0. It
   stands over every neuron with c_j > 0; under one with c_j < 0 runs a line, relu(a) >= lambda a with 0 <= lambda <= 1.
   So F(d) <= d'Hd + g'd + k with H = sum of h_j w_j w_j', h_j >= 0.
2. *The ball by its multiplier* (`ball`; the S-lemma). For every mu with B = mu I - H positive semidefinite
       max over the ball of d'Hd + g'd  <=  mu r^2 + max over all d of (g'd - d'Bd),
   and around any proposal p the second maximum is g'p - p'Bp plus at most ||g - 2Bp|| (r + ||p||). The least such bound
   over mu is the maximum itself; but no mu need be trusted. B is proved semidefinite by one factor of the small matrix
   mu I - K, K = sqrt(h_i h_j) w_i'w_j over the neurons with a parabola, and its residual
(`relucert_core.definiteness`). 3. *Which parabolas* (`moments`). The bound is convex in t, lambda and mu together. Its
   dual asks for the worst random d with E|d|^2 <= r^2 when only mean m_j and variance v_j of each a_j are known: then E
   relu(a_j) is at most (m_j + sqrt(m_j^2 + v_j)) / 2 (Scarf 1958) and at least max(0, m_j). Projected ascent finds that
   d, and its half-widths t_j = sqrt(m_j^2 + v_j) are the best ones: the parabola of t_j touches Scarf's bound there.

What it stands on: the parabolas of CROWN (Zhang et al., Efficient Neural Network Robustness Certification with General
Activation Functions, 2018, whose reference code ascends by projected gradients, which proves nothing where the
quadratic is not concave), and the S-lemma (Yakubovich 1971). New are the half-widths from the worst two moments, the
multiplier as the proof, and the depth. The same bound is the value of the semidefinite relaxation of one layer over a
ball without bounds on its neurons (Raghunathan et al. 2018), found without a semidefinite programme.
"""
