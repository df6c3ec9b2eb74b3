from app.kit.recipe import Recipe
from gpu.plan.spec import EditSpec


def recipe(out_frame: int = 10, media_id: str = "med_1") -> Recipe:
    return Recipe(kind="extract", media_id=media_id, spec=EditSpec.of_clip(in_frame=0, out_frame=out_frame))


def test_equal_recipes_have_equal_hashes() -> None:
    assert recipe().sha256 == recipe().sha256


def test_every_input_changes_the_hash() -> None:
    assert len({recipe().sha256, recipe(11).sha256, recipe(media_id="med_2").sha256}) == 3


def test_the_hash_of_a_recipe_never_changes_between_releases() -> None:
    """Reels would lose `current` in a deployment: raise the recipe format on purpose only."""
    assert recipe().sha256 == "4bbd5992d5ea1152669533332333a83907a28d9398f89b13b1be0f31b575ab5f"
