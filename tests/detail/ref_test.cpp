#include <asyncio/detail/ref.h>

#include <gtest/gtest.h>

#include <utility>

namespace {

using asyncio::detail::Ref;

struct Counted {
    int references = 1;
    void inc_ref() noexcept { ++references; }
    void dec_ref() noexcept { --references; }
};
static_assert(sizeof(Ref<Counted>) == sizeof(void*));

TEST(Ref, IsNullUntilItGetsAnObject) {
    Ref<Counted> ref;
    EXPECT_FALSE(ref);
    EXPECT_EQ(ref, nullptr);
    EXPECT_EQ(ref.get(), nullptr);
}

TEST(Ref, AdoptTakesOverTheCallersReferenceAndTheConstructorAddsOne) {
    Counted object;
    {
        auto adopted = Ref<Counted>::adopt(&object);
        EXPECT_EQ(object.references, 1);
        Ref<Counted> shared(&object);
        EXPECT_EQ(object.references, 2);
        EXPECT_EQ(adopted, shared);
        EXPECT_EQ(shared, &object);
    }
    EXPECT_EQ(object.references, 0);
}

TEST(Ref, CopiesCountAndMovesDoNot) {
    Counted object;
    auto first = Ref<Counted>::adopt(&object);
    Ref<Counted> second = first;
    EXPECT_EQ(object.references, 2);
    Ref<Counted> third = std::move(second);
    EXPECT_EQ(object.references, 2);
    EXPECT_EQ(second, nullptr);
    third = first;
    EXPECT_EQ(object.references, 2);
    first = std::move(third);
    EXPECT_EQ(object.references, 1);
    EXPECT_EQ(first->references, 1);
}

TEST(Ref, SurvivesAssignmentToItself) {
    Counted object;
    auto ref = Ref<Counted>::adopt(&object);
    auto& same = ref;
    ref = same;
    ref = std::move(same);
    EXPECT_EQ(ref.get(), &object);
    EXPECT_EQ(object.references, 1);
}

TEST(Ref, ReleaseGivesTheReferenceUpAndResetDropsIt) {
    Counted object;
    auto ref = Ref<Counted>::adopt(&object);
    EXPECT_EQ(ref.release(), &object);
    EXPECT_EQ(ref, nullptr);
    EXPECT_EQ(object.references, 1);
    ref = Ref<Counted>::adopt(&object);
    ref.reset();
    EXPECT_EQ(object.references, 0);
}

}  // namespace
