"""Stable-Baselines3's PPO with rl-zoo's settings for CartPole-v1, to a deterministic evaluation of 10 episodes."""

import stable_baselines3
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy


def main() -> None:
    env = make_vec_env("CartPole-v1", 8)
    model = stable_baselines3.PPO(
        "MlpPolicy",
        env,
        n_steps=32,
        batch_size=256,
        n_epochs=20,
        gae_lambda=0.8,
        gamma=0.98,
        ent_coef=0.0,
        learning_rate=lambda left: 1e-3 * left,
        clip_range=lambda left: 0.2 * left,
        device="cpu",
    )
    model.learn(100_000)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=10, deterministic=True)
    print(f"evaluation: mean return {mean:.1f} over 10 episodes")


main()
